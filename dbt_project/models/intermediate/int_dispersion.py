"""Grain: one row per indicator, area above, level of the areas compared, period, sex and statistic. The methods are in pipelines.statistics."""


def model(dbt, session):
    dbt.config(materialized="table")

    from pipelines.warehouse.steps.dispersion import measure_dispersion

    return measure_dispersion(
        cells=dbt.ref("int_dispersion_inputs"),
        areas=dbt.ref("stg_areas"),
        tree=dbt.ref("int_area_tree"),
        levels=dbt.ref("stg_levels"),
        level_ancestors=dbt.ref("stg_level_ancestors"),
    )
