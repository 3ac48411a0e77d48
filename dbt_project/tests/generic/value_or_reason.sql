{# A value is there exactly where the status says so: never a bare null, never a value beside a reason for its absence. #}
{% test value_or_reason(model, value='obs_value') %}
    select *
    from {{ model }}
    where ({{ value }} is not null) <> (obs_status in ('A', 'B', 'E', 'I', 'P')) or obs_status is null
{% endtest %}
