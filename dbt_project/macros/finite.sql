{# A number, or null if it is outside the range of double: published numbers are finite. #}
{% macro finite(value) -%}
    case when abs({{ value }}) <= 1.7976931348623157e308 then {{ value }} end
{%- endmacro %}
