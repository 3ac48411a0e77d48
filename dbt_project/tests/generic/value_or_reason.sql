{# A value is present exactly where the status says so: never a bare null, and never a value beside a reason for its absence. #}
{% test value_or_reason(model, value='obs_value') %}
    select *
    from {{ model }}
    where ({{ value }} is not null) <> (obs_status in ('{{ var("value_statuses") | join("', '") }}')) or obs_status is null
{% endtest %}
