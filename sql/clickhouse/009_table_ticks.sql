-- One row per valid tick; a part of few rows is now one file instead of twenty, which a file system makes and
-- deletes in less time.
ALTER TABLE stocks.ticks -- noqa: PRS
MODIFY SETTING min_rows_for_full_part_storage = 10000
