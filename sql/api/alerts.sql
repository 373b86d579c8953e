-- One row per alert, a rule that the ticks of a symbol met: the newest first.
-- @param symbols = [] [..100] /${TICKS_SYMBOL_PATTERN}/: Only those of these; without any, all.
-- @param rules = [] [..100]: Only these; without any, all.
-- @param severity = null: Only this one.
-- @param from = null: Only alerts that were complete at this moment or later.
-- @param to = null: Only alerts that were complete before this moment.
-- @page ended_at desc, rule, symbol
SELECT
    rule,
    symbol,
    started_at,
    ended_at,
    severity,
    CAST(details, 'JSON') AS details,
    message,
    inserted_at
-- FINAL: an alert that was raised again after a failure is one.
FROM stocks.alerts FINAL
WHERE
    (empty({symbols:Array(String)}) OR symbol IN {symbols:Array(String)})
    AND (empty({rules:Array(String)}) OR rule IN {rules:Array(String)})
    AND severity = coalesce(toString({severity:Nullable(Enum8('info', 'warning', 'critical'))}), severity)
    AND ({from:Nullable(DateTime64(3, 'UTC'))} IS NULL OR ended_at >= {from:Nullable(DateTime64(3, 'UTC'))})
    AND ({to:Nullable(DateTime64(3, 'UTC'))} IS NULL OR ended_at < {to:Nullable(DateTime64(3, 'UTC'))})
