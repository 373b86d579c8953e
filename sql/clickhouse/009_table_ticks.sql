-- One row per valid tick; where the engine can pack a part of few rows (the embedded one can), it is one file now
-- instead of twenty, made and deleted in less time.
ALTER TABLE stocks.ticks -- noqa: PRS
MODIFY SETTING min_rows_for_full_part_storage = 10000
