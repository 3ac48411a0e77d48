{# The same period, some calendar years earlier: one year before 2021-Q3 is 2020-Q3. #}
{% macro years_before(period, years) -%}
    (lpad(cast(cast(left({{ period }}, 4) as integer) - {{ years }} as varchar), 4, '0') || substr({{ period }}, 5))
{%- endmacro %}

{# The first day of a period, which is a year, a quarter, a month or a date. #}
{% macro first_day(period) -%}
    case
        when {{ period }} = '' then null
        when length({{ period }}) = 4 then try_cast({{ period }} || '-01-01' as date)
        when substr({{ period }}, 6, 1) = 'Q'
            then try_cast(left({{ period }}, 5) || lpad(cast(cast(substr({{ period }}, 7, 1) as integer) * 3 - 2 as varchar), 2, '0') || '-01' as date)
        when length({{ period }}) = 7 then try_cast({{ period }} || '-01' as date)
        else try_cast({{ period }} as date)
    end
{%- endmacro %}

{# The calendar time between the first days of two periods, in years. #}
{% macro years_between(first, last) -%}
    {%- set from_day = first_day(first) -%}
    {%- set to_day = first_day(last) -%}
    (
        (year({{ to_day }}) - year({{ from_day }}))
        + (month({{ to_day }}) - month({{ from_day }})) / 12.0
        + (day({{ to_day }}) - day({{ from_day }})) / 365.25
    )
{%- endmacro %}
