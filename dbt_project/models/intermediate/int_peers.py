"""Grain: one area and one of its peers. Gathers the attributes; distances are the business of pipelines.statistics."""


def model(dbt, session):
    dbt.config(materialized="table")

    from pipelines.warehouse.steps.peers import choose_peers

    return choose_peers(attributes=dbt.ref("int_peer_attributes"))
