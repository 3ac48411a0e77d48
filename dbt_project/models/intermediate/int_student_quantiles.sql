-- grain: one row per size of a sample, with the quantiles of Student's t
select *
from {{ statistics('student_quantiles') }}
