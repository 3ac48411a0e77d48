-- grain: one row per index of any objective except ZPO2-3, component, area and period
{{ index_scores("i.objective <> 'ZPO2-3'") }}
