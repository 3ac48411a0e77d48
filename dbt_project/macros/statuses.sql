{#
  Statuses as ranks, so that the one that stands is the largest: any missing one (above 10) before any with a value.
  C > S > Q > M > O without a value, B > E > I > P > A with one.
#}
{% macro status_rank(status) -%}
    case {{ status }}
        when 'C' then 15 when 'S' then 14 when 'Q' then 13 when 'M' then 12 when 'O' then 11
        when 'B' then 5 when 'E' then 4 when 'I' then 3 when 'P' then 2 when 'A' then 1
    end
{%- endmacro %}

{% macro rank_status(rank) -%}
    case {{ rank }}
        when 15 then 'C' when 14 then 'S' when 13 then 'Q' when 12 then 'M' when 11 then 'O'
        when 5 then 'B' when 4 then 'E' when 3 then 'I' when 2 then 'P' when 1 then 'A'
    end
{%- endmacro %}
