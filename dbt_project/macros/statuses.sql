{#
  Statuses as ranks (the variable status_ranks), so that the status that stands is the one with the highest rank:
  any status without a value before any status with one.
#}
{% macro status_rank(status) -%}
    case {{ status }}
        {% for code, rank in var('status_ranks').items() -%}
        when '{{ code }}' then {{ rank }}
        {% endfor -%}
    end
{%- endmacro %}

{% macro rank_status(rank) -%}
    case {{ rank }}
        {% for code, code_rank in var('status_ranks').items() -%}
        when {{ code_rank }} then '{{ code }}'
        {% endfor -%}
    end
{%- endmacro %}
