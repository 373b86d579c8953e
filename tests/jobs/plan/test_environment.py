from jobs.plan import environment
from lib import conf


def test_the_address_of_flinks_rest_api_is_a_setting_of_ours() -> None:
    config = conf.load(environ={"MILLRACE_FLINK__REST_PORT": "1234"})
    options = environment.options(config, "job", {"rest.port": "1", "pipeline.name": "mine"})
    assert (options["rest.port"], options["rest.bind-address"]) == ("1234", "127.0.0.1")
    assert options["pipeline.name"] == "mine"


def test_flink_calls_our_worker_unless_another_python_is_set() -> None:
    config = conf.load(environ={})
    assert environment.options(config, "job", {})["python.executable"] == "worker.sh"
    given = {"python.executable": "/x/python"}
    assert environment.options(config, "job", given)["python.executable"] == "/x/python"


def test_a_jvm_that_only_plans_keeps_its_other_options() -> None:
    given = {"a": "1", "env.java.opts.all": "-Xmx1g"}
    quick = {"env.java.opts.all": "-Xmx1g -XX:TieredStopAtLevel=1"}
    assert environment.short_lived(given) == given | quick
    assert environment.short_lived({})["env.java.opts.all"] == "-XX:TieredStopAtLevel=1"
