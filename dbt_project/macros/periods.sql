{# The first day of a period, which is a year, a quarter, a month or a date. #}
{% macro first_day(period) -%}
    case
        when {{ period }} = '' then null
        when length({{ period }}) = 4 then try_cast({{ period }} || '-01-01' as date)
        when substr({{ period }}, 6, 1) = 'Q'
            then try_cast(left({{ period }}, 5) || lpad(cast(cast(substr({{ period }}, 7, 1) as integer) * 3 - 2 as string), 2, '0') || '-01' as date)
        when length({{ period }}) = 7 then try_cast({{ period }} || '-01' as date)
        else try_cast({{ period }} as date)
    end
{%- endmacro %}

{# The calendar time between the first days of two periods, given by their keys, in years. #}
{% macro years_between(first, last) -%}
    {%- set from_day = first_day_number(first) -%}
    {%- set to_day = first_day_number(last) -%}
    (
        ({{ year_of(to_day) }} - {{ year_of(from_day) }})
        + ({{ whole('(' ~ to_day ~ ') % 10000', 100) }} - {{ whole('(' ~ from_day ~ ') % 10000', 100) }}) / cast(12 as double)
        + ((({{ to_day }}) % 100) - (({{ from_day }}) % 100)) / cast(365.25 as double)
    )
{%- endmacro %}
