"""Grain: one row per index, component and statistic of what the index depends on. The methods are in pipelines.statistics."""


def model(dbt, session):
    dbt.config(materialized="table")

    from pipelines.warehouse.steps.index_uncertainty import index_sensitivity

    return index_sensitivity(
        indices=dbt.ref("stg_indices"),
        nodes=dbt.ref("stg_index_nodes"),
        indicators=dbt.ref("stg_indicators"),
        attributes=dbt.ref("stg_area_attributes"),
        inputs=dbt.ref("int_index_inputs"),
    )
