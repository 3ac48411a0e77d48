"""Grain: one row per index, node, area and period, with its score. The methods are in pipelines.statistics."""


def model(dbt, session):
    dbt.config(materialized="table")

    from pipelines.warehouse.steps.index_scores import score_indices

    return score_indices(
        indices=dbt.ref("stg_indices"),
        nodes=dbt.ref("stg_index_nodes"),
        indicators=dbt.ref("stg_indicators"),
        attributes=dbt.ref("stg_area_attributes"),
        inputs=dbt.ref("int_index_inputs"),
    )
