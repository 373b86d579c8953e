"""Starts a job in whose sources no partition counts as idle because its task was in an insert.

What counts is in IdlePartitions.java, and why in docs/adr/0013-idle-partitions.md.
"""

import zipfile
from pathlib import Path
from typing import Any

from pyflink.common import JobClient
from pyflink.java_gateway import get_gateway
from pyflink.table import StatementSet
from pyflink.util.java_utils import get_field, get_field_value

_SOURCE = Path(__file__).with_name("IdlePartitions.java")
_NAME = "millrace.IdlePartitions"
_JARS = "pipeline.jars"

# A source with a watermark, and Flink's own idea of idle partitions around it.
_WITH_WATERMARK = "SourceTransformation"
_WITH_IDLENESS = "WatermarkStrategyWithIdleness"
# Others may be around both.
_AROUND = "strategy"


def execute(inserts: StatementSet, folder: Path) -> JobClient:
    """As `inserts.execute()`, with a JAR in a folder that outlasts the job."""
    tables = inserts._t_env
    tables._before_execute()
    java, statements = tables._j_tenv, inserts._j_statement_set
    planned = java.getPlanner().translate(get_field_value(statements, "operations"))
    options = java.getConfig()
    # Flink does so, too, before it makes the pipeline: functions may be in JARs of their own.
    get_field_value(java, "resourceManager").addJarConfiguration(options)
    if strategies := _strategies(planned):
        compiler = _compiled()
        made = compiler.getClassLoader().loadClass(_NAME)
        (constructor,) = made.getDeclaredConstructors()
        for holder, field in strategies:
            old = field.get(holder)
            timeout = get_field_value(old, "idlenessTimeout").toMillis()
            field.set(holder, _new(constructor, get_field_value(old, "baseStrategy"), timeout))
        jar = _jar(compiler, folder)
        present = options.getConfiguration().toMap().get(_JARS)
        options.set(_JARS, ";".join(filter(None, [present, jar.as_uri()])))
    executor = get_field_value(java, "execEnv")
    hooks = get_gateway().jvm.java.util.ArrayList()
    pipeline = executor.createPipeline(planned, options.getConfiguration(), None, hooks)
    return JobClient(executor.executeAsync(pipeline))


def _strategies(planned: Any) -> list[tuple[Any, Any]]:
    """Each watermark strategy that has partitions idle by Flink's clock: the object that holds it,
    and in which field."""
    sources = {
        each.getId(): each
        for end in planned
        for each in end.getTransitivePredecessors()
        if _class(each) == _WITH_WATERMARK
    }
    return [held for source in sources.values() if (held := _held(source))]


def _held(source: Any) -> tuple[Any, Any] | None:
    """That of a source; None if it has none."""
    holder, name = source, "watermarkStrategy"
    while (strategy := get_field_value(holder, name)) is not None:
        if _class(strategy) == _WITH_IDLENESS:
            return holder, get_field(holder.getClass(), name)
        if get_field(strategy.getClass(), _AROUND) is None:
            break
        holder, name = strategy, _AROUND
    return None


def _class(value: Any) -> str:
    return str(value.getClass().getSimpleName())


def _compiled() -> Any:
    compiler = get_gateway().jvm.org.codehaus.janino.SimpleCompiler()
    compiler.cook(_SOURCE.read_text(encoding="utf-8"))
    return compiler


def _new(constructor: Any, watermarks: Any, timeout: int) -> Any:
    gateway = get_gateway()
    arguments = gateway.new_array(gateway.jvm.Object, 2)
    arguments[0], arguments[1] = watermarks, gateway.jvm.Long.valueOf(timeout)
    return constructor.newInstance(arguments)


def _jar(compiler: Any, folder: Path) -> Path:
    jar = folder / "idle-partitions.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        for name, code in compiler.getBytecodes().items():
            archive.writestr(f"{name.replace('.', '/')}.class", bytes(code))
    return jar
