{#
  Integers by which the models join cells. A period is a number that sorts as its text does: 2021 is 20210000, 2021-03 is 20210300,
  2021-03-05 is 20210305, and the third quarter of 2021 is 20212300. No period, the empty text, is 0.
#}
{% macro period_key(period) -%}
    cast(
        case
            when {{ period }} = '' then 0
            when length({{ period }}) = 4 then cast({{ period }} as integer) * 10000
            when substr({{ period }}, 6, 1) = 'Q' then cast(left({{ period }}, 4) as integer) * 10000 + 2000 + cast(substr({{ period }}, 7, 1) as integer) * 100
            when length({{ period }}) = 7 then cast(left({{ period }}, 4) as integer) * 10000 + cast(substr({{ period }}, 6, 2) as integer) * 100
            else cast(left({{ period }}, 4) as integer) * 10000 + cast(substr({{ period }}, 6, 2) as integer) * 100 + cast(substr({{ period }}, 9, 2) as integer)
        end as integer
    )
{%- endmacro %}

{# The first day of a period from its key, as a number: 20210101. Numbers of days sort as days do. #}
{% macro first_day_number(key) -%}
    case
        when {{ key }} = 0 then null
        when {{ key }} % 10000 = 0 then {{ key }} + 101
        when {{ key }} % 10000 >= 2000 then {{ key }} - {{ key }} % 10000 + ({{ key }} % 10000 - 2000) * 3 - 200 + 1
        when {{ key }} % 100 = 0 then {{ key }} + 1
        else {{ key }}
    end
{%- endmacro %}

{# The quarter or year in which a period lies, by their keys; the period itself without `to`. #}
{% macro key_of_longer(key, to) -%}
    cast(
        case {{ to }}
            when 'year' then {{ key }} - {{ key }} % 10000
            when 'quarter'
                then
                    {{ key }} - {{ key }} % 10000
                    + case when {{ key }} % 10000 >= 2000 then {{ key }} % 10000 else 2000 + 100 * {{ whole(key ~ ' % 10000 + 200', 300) }} end
            else {{ key }}
        end as integer
    )
{%- endmacro %}

{# The same of the text of a month or quarter. #}
{% macro longer_period(period, to) -%}
    case {{ to }}
        when 'year' then left({{ period }}, 4)
        when 'quarter'
            then
                case
                    when substr({{ period }}, 6, 1) = 'Q' then {{ period }}
                    else left({{ period }}, 5) || 'Q' || cast({{ whole('cast(substr(' ~ period ~ ', 6, 2) as integer) + 2', 3) }} as string)
                end
        else {{ period }}
    end
{%- endmacro %}

{# The same period, some calendar years earlier. #}
{% macro key_years_before(key, years) -%}
    ({{ key }} - ({{ years }}) * 10000)
{%- endmacro %}

{# The calendar year of a period. #}
{% macro year_of(key) -%}
    {{ whole(key, 10000) }}
{%- endmacro %}

{# How often a positive number contains another one. #}
{% macro whole(number, divisor) -%}
    cast(floor(({{ number }}) / {{ divisor }}) as integer)
{%- endmacro %}

{# The key of all sexes and ages together, and whether a key is that of all ages. #}
{% macro total() -%}
    0
{%- endmacro %}

{% macro is_all_ages(breakdown) -%}
    {{ breakdown }} < {{ var('sex_codes') | length }}
{%- endmacro %}

{# The sex in a breakdown as a number of the variable sex_codes, and the rest, which is its age group. #}
{% macro sex_of(breakdown) -%}
    {{ breakdown }} % {{ var('sex_codes') | length }}
{%- endmacro %}

{% macro age_of(breakdown) -%}
    {{ breakdown }} - {{ breakdown }} % {{ var('sex_codes') | length }}
{%- endmacro %}

{% macro sex_code(sex) -%}
    {{ var('sex_codes')[sex] }}
{%- endmacro %}
