{# A number, or null where it left the range of double: published numbers are finite, and what is beyond them is not defined. #}
{% macro finite(value) -%}
    case when abs({{ value }}) <= 1.7976931348623157e308 then {{ value }} end
{%- endmacro %}
