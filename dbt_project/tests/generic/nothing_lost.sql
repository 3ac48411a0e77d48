{# Every row that was read is accepted, in quarantine, or ignored by declaration. #}
{% test nothing_lost(model) %}
    select *
    from {{ model }}
    where rows_read <> rows_accepted + rows_quarantined + rows_ignored
{% endtest %}
