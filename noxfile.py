"""The automation: `nox` alone checks everything that must hold before a change is merged.

`nox -l` lists the sessions, `nox -s "tests(torch)" -- -k dense` passes arguments to pytest, and
`nox -s bench -- ops` runs the benchmarks. Every environment is a plain venv filled by pip with the
versions of constraints.txt; a backend's environment holds no other framework.
"""

from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "architecture", "tests", "portability"]

# What pip installs for a backend beside the package. TensorFlow without CUDA is its own package.
FRAMEWORK = {
    "numpy": [],
    "jax": ["jax", "orbax-checkpoint"],
    "torch": ["torch"],
    "tensorflow": ["tensorflow-cpu"],
}
EVERYTHING = [name for names in FRAMEWORK.values() for name in names] + ["keras"]

# pytest-xdist runs two processes, so each gets one thread: more only makes them wait for each
# other on a machine with two cores.
WORKERS = ["-n", "2"]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# The tests compile thousands of tiny programs and run each once or twice. What was compiled is
# kept, so that the next run of the session is quicker.
QUICK_COMPILATION = {
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
    "JAX_COMPILATION_CACHE_DIR": str(Path(".nox/jax_programs").resolve()),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
}


def install(session: nox.Session, *packages: str) -> None:
    """Installs `packages` in the pinned versions."""
    session.install("--disable-pip-version-check", "-c", "constraints.txt", *packages)


def pytest(session: nox.Session, *args: str, env: dict[str, str]) -> None:
    """Runs pytest in two processes, with what the user passed after `--`."""
    command = ["python", "-m", "pytest", "-q", "--durations=5", *WORKERS, *args]
    session.run(*command, *session.posargs, env={**ONE_THREAD, **env})


@nox.session
def lint(session: nox.Session) -> None:
    """Style by ruff, types of the public rooms by mypy."""
    install(session, "ruff", "mypy", "numpy", "optree", "rich", "nox", "pytest")
    session.run("ruff", "check", ".")
    session.run("mypy")


@nox.session
def architecture(session: nox.Session) -> None:
    """The package as a user installs it (no editable install), and the rules of the source."""
    install(session, ".[test]")
    away = session.create_tmp()  # where no source tree can hide a file missing from the wheel
    env = {"MULTIKERAS_BACKEND": "numpy"}
    with session.chdir(away):
        code = "import multikeras.datasets as d; print(len(d.digits.load_data()[0][0]), 'digits')"
        session.run("python", "-c", code, env=env)
        session.run("multikeras", "backends", env=env)
    pytest(session, "tests/architecture", env=env)


@nox.session
@nox.parametrize("backend", [nox.param(name, id=name) for name in FRAMEWORK])
def tests(session: nox.Session, backend: str) -> None:
    """The conformance and unit tests and the docstrings' examples, on one backend."""
    install(session, "-e", ".[test]", *FRAMEWORK[backend])
    paths = ["tests", "multikeras", "--doctest-modules"]
    pytest(
        session,
        *paths,
        "--ignore=tests/architecture",
        "--ignore=tests/portability",
        env={"MULTIKERAS_BACKEND": backend} | (QUICK_COMPILATION if backend == "jax" else {}),
    )


@nox.session
def portability(session: nox.Session) -> None:
    """All backends against each other and against Keras 3, in one environment."""
    install(session, "-e", ".[test,plot]", *EVERYTHING)
    env = {"MULTIKERAS_BACKEND": "numpy", "MULTIKERAS_TEST_ALL_BACKENDS": "1"}
    # The tests of a file share what their processes wrote.
    pytest(session, "tests", "-m", "all_backends", "--dist", "loadfile", env=env)


@nox.session(default=False, reuse_venv=True)
def bench(session: nox.Session) -> None:
    """Runs `python -m benchmarks` with every framework and Keras 3 installed."""
    install(session, "-e", ".", *EVERYTHING)
    session.run("python", "-m", "benchmarks", *session.posargs)
