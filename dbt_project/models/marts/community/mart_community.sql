-- grain: one component of an index of any other objective than ZPO2-3, area and period
{{ index_scores("i.objective <> 'ZPO2-3'") }}
