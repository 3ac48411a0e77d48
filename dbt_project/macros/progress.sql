{# Whether a value of an area has reached what progress is measured against, so that nothing is left to achieve from there. #}
{% macro nothing_to_achieve(value) -%}
    {%- set progress = var('progress') -%}
    case
        when direction = 'target'
            then abs({{ value }} - target_value) <= {{ var('relative_tolerance') }} * greatest(abs(target_value), {{ progress.smallest_target }})
        when target_value is not null and direction = 'higher_better' then {{ value }} >= target_value
        when target_value is not null then {{ value }} <= target_value
        when direction = 'lower_better' then {{ value }} = 0
        -- even moderate growth would end beyond the limit
        else {{ value }} * pow(1 + cast({{ progress.without_target.moderate }} as double), years) > limit_value
    end
{%- endmacro %}
