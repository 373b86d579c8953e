-- One row per time in which a sensor was too hot, the newest first.
-- @param sensors = [] [..100]: Only these; without any, all.
-- @page started_at desc, sensor
SELECT
    sensor,
    started_at,
    ended_at,
    highest
FROM sensors.overheated FINAL
WHERE empty({sensors:Array(String)}) OR sensor IN {sensors:Array(String)}
