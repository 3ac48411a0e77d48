# The image of zpo2: the locked libraries, each checked against its hash, and the wheel of this repository.
# Whatever is written goes to the volume. The root file system can be read-only, as it is in compose.yaml.
FROM python:3.11-slim AS libraries
COPY requirements.lock requirements-dev.lock /locks/
# the libraries for Dagster's storage on PostgreSQL are an extra: their entries are in the other lock
RUN sed -n '/^dagster-postgres==/,/[^\\]$/p; /^psycopg2-binary==/,/[^\\]$/p' /locks/requirements-dev.lock > /locks/postgres.lock \
    && pip install --no-cache-dir --no-deps --require-hashes -r /locks/requirements.lock -r /locks/postgres.lock

FROM libraries AS wheel
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel /source

FROM libraries
COPY --from=wheel /wheel /wheel
RUN pip install --no-cache-dir --no-deps /wheel/*.whl \
    && useradd --system --uid 10001 --home-dir /var/lib/zpo2 --shell /usr/sbin/nologin zpo2 \
    && install -d -o zpo2 -g zpo2 /var/lib/zpo2
ENV ZPO2_HOME=/var/lib/zpo2 DAGSTER_HOME=/var/lib/zpo2/dagster HOME=/tmp PYTHONUNBUFFERED=1
USER 10001
WORKDIR /var/lib/zpo2
VOLUME /var/lib/zpo2
CMD ["zpo2", "run"]
