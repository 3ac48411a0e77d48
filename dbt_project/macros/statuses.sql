{#
  Statuses as ranks (the variable status_ranks). Of several statuses the one with the highest rank stands:
  any status without a value outranks every status with a value.
#}
{% macro status_rank(status) -%}
    case {{ status }}
        {% for code in var('status_ranks') -%}
        when '{{ code }}' then {{ rank_of(code) }}
        {% endfor -%}
    end
{%- endmacro %}

{% macro rank_status(rank) -%}
    case {{ rank }}
        {% for code in var('status_ranks') -%}
        when {{ rank_of(code) }} then '{{ code }}'
        {% endfor -%}
    end
{%- endmacro %}

{# The rank of one status, given by its code. #}
{% macro rank_of(code) -%}
    {{ var('status_ranks')[code] }}
{%- endmacro %}

{# The rank of an input that has no say in the status: lower than the rank of every status. #}
{% macro no_rank() -%}
    0
{%- endmacro %}

{# The rank of a status where a condition holds, else no rank. #}
{% macro rank_if(condition, code) -%}
    case when {{ condition }} then {{ rank_of(code) }} else {{ no_rank() }} end
{%- endmacro %}

{# Whether a rank is that of a status with a value, or of one without. Both are null for a rank that is null. #}
{% macro has_value(rank) -%}
    {{ rank }} < {{ var('first_missing_rank') }}
{%- endmacro %}

{% macro lacks_value(rank) -%}
    {{ rank }} >= {{ var('first_missing_rank') }}
{%- endmacro %}
