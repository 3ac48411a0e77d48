-- grain: one row per index of the objective ZPO2-3, component, area and period
{{ index_scores("i.objective = 'ZPO2-3'") }}
