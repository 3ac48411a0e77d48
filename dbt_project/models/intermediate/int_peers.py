"""Grain: one area and one of its peers. Gathers the attributes; distances are the business of pipelines.methods."""


def model(dbt, session):
    dbt.config(materialized="table")

    from pipelines.models.peers import choose_peers

    return choose_peers(attributes=dbt.ref("int_peer_attributes"))
