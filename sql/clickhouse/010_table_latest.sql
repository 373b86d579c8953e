-- One row per symbol; a part of few rows is one file, as in stocks.ticks, and parts that are older than this many
-- seconds become one, since FINAL reads few parts faster.
ALTER TABLE stocks.latest -- noqa: PRS
MODIFY SETTING min_rows_for_full_part_storage = 10000, min_age_to_force_merge_seconds = 5
