-- One row per job; a part of few rows is one file, as in stocks.ticks.
ALTER TABLE stocks.job_status -- noqa: PRS
MODIFY SETTING min_rows_for_full_part_storage = 10000
