"""Grain: one row per index that declares uncertainty, node, area and period, with the interval of its rank. The methods are in pipelines.statistics."""


def model(dbt, session):
    dbt.config(materialized="table")

    from pipelines.warehouse.steps.index_uncertainty import rank_intervals

    return rank_intervals(
        indices=dbt.ref("stg_indices"),
        nodes=dbt.ref("stg_index_nodes"),
        indicators=dbt.ref("stg_indicators"),
        attributes=dbt.ref("stg_area_attributes"),
        inputs=dbt.ref("int_index_inputs"),
    )
