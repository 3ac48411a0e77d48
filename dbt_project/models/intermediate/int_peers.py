"""Grain: one row per area and peer. The distances are computed in pipelines.statistics."""


def model(dbt, session):
    dbt.config(materialized="table")

    from pipelines.warehouse.steps.peers import choose_peers

    return choose_peers(attributes=dbt.ref("int_peer_attributes"))
