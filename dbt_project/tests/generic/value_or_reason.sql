{# A value is present exactly if its status says so: a missing value has a reason, and a value has none. #}
{% test value_or_reason(model, value='obs_value') %}
    select *
    from {{ model }}
    where ({{ value }} is not null) <> (obs_status in ('{{ var("value_statuses") | join("', '") }}')) or obs_status is null
{% endtest %}
