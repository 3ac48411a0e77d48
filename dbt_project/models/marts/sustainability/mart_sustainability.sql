-- grain: one component of an index of the objective ZPO2-3, area and period
{{ index_scores("i.objective = 'ZPO2-3'") }}
