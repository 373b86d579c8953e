-- One row per alert of any rule.
CREATE TEMPORARY VIEW alerts AS
SELECT * FROM price_falls
UNION ALL
SELECT * FROM price_rises
UNION ALL
SELECT * FROM reversals
UNION ALL
SELECT * FROM volume_bursts
UNION ALL
SELECT * FROM price_outliers
UNION ALL
SELECT * FROM silences
