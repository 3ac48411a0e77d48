{# The rows of a model keep its rules. One test checks all rules of a model, because a test costs more than a rule on a small table.

   unique_key: the columns identify a row, and none of them is null
   not_null: the columns have a value in every row
   accepted_values, between: the values of a column, or its bounds, both included; null passes
   relationships: the values of a column stand in a column of another relation; null passes
   value_or_reason: the column has a value exactly if the status says so: a missing value has a reason, and a value has none
   defined_over: a column has no value where the column that it is divided by is 0
   nothing_lost: every row that was read is accepted, in quarantine, or ignored by declaration

   It returns a row for each broken rule: the column, the rule, and the number of rows that break it. #}
{% test valid(
    model,
    unique_key=[],
    not_null=[],
    accepted_values={},
    between={},
    relationships={},
    value_or_reason=none,
    defined_over={},
    nothing_lost=false
) %}
    {{ config(fail_calc='coalesce(sum(failing_rows), 0)') }}
    {%- set rules = [] -%}
    {%- for column in not_null -%}
        {%- do rules.append((column, 'not_null', column ~ ' is null')) -%}
    {%- endfor -%}
    {%- for column, values in accepted_values.items() -%}
        {%- do rules.append((column, 'accepted_values', column ~ " not in ('" ~ values | join("', '") ~ "')")) -%}
    {%- endfor -%}
    {%- for column, bounds in between.items() -%}
        {%- do rules.append((column, 'between', column ~ ' < ' ~ bounds[0] ~ ' or ' ~ column ~ ' > ' ~ bounds[1])) -%}
    {%- endfor -%}
    {%- if value_or_reason -%}
        {%- set has_value = "obs_status in ('" ~ var('value_statuses') | join("', '") ~ "')" -%}
        {%- set rule = '(' ~ value_or_reason ~ ' is not null) <> (' ~ has_value ~ ') or obs_status is null' -%}
        {%- do rules.append((value_or_reason, 'value_or_reason', rule)) -%}
    {%- endif -%}
    {%- for column, denominator in defined_over.items() -%}
        {%- do rules.append((column, 'defined_over', column ~ ' is not null and ' ~ denominator ~ ' = 0')) -%}
    {%- endfor -%}
    {%- if nothing_lost -%}
        {%- set rule = 'rows_read <> rows_accepted + rows_quarantined + rows_ignored' -%}
        {%- do rules.append(('rows_read', 'nothing_lost', rule)) -%}
    {%- endif -%}
    {%- set parts = [] -%}
    {%- for column, rule, condition in rules -%}
        {%- do parts.append("select '" ~ column ~ "' as column_name, '" ~ rule ~ "' as rule, rows_" ~ loop.index ~ ' as failing_rows from counted') -%}
    {%- endfor -%}
    {%- for column, parent in relationships.items() -%}
        {%- set part -%}
            select '{{ column }}' as column_name, 'relationships' as rule, count(*) as failing_rows
            from {{ model }} as child
            left join {{ parent.to }} as parent on parent.{{ parent.field }} = child.{{ column }}
            where child.{{ column }} is not null and parent.{{ parent.field }} is null
        {%- endset -%}
        {%- do parts.append(part) -%}
    {%- endfor -%}
    {%- if unique_key -%}
        {%- set part -%}
            select
                '{{ unique_key | join(", ") }}' as column_name,
                'unique_key' as rule,
                coalesce(sum(rows_of_key), 0) as failing_rows
            from (
                select count(*) as rows_of_key
                from {{ model }}
                group by {{ unique_key | join(', ') }}
                having count(*) > 1{% for column in unique_key %} or {{ column }} is null{% endfor %}
            ) as keys
        {%- endset -%}
        {%- do parts.append(part) -%}
    {%- endif -%}
    {%- if rules -%}
    with counted as (
        select
            {%- for column, rule, condition in rules %}
            count(*) filter (where {{ condition }}) as rows_{{ loop.index }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ model }}
    )
    {% endif %}
    select column_name, rule, failing_rows
    from (
        {{ parts | join('\nunion all\n') }}
    ) as checked
    where failing_rows > 0
{% endtest %}
