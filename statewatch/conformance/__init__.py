"""What every store promises, as tests that anybody can run on an engine of their own.

They need pytest and Hypothesis: `pip install 'statewatch[conformance]'`.

An engine joins in with one class in a test module, and a `Place` that says where its namespaces are:

    from functools import partial
    from statewatch.conformance.place import Place
    from statewatch.conformance.suite import LockingConformance

    class MyPlace(Place):
        def traces(self):  # whatever the engine has left behind, so that a test can tell that it left nothing
            return {path.name: path.stat().st_mtime_ns for path in self.directory.iterdir()}

        def damage(self, store, checkpoint):  # spoil what is kept under that name
            (self.directory / f"{checkpoint}.json").write_text('{"spoilt": true}')

    class TestMyStore(LockingConformance):
        @pytest.fixture
        def place(self, tmp_path):
            place = MyPlace(partial(MyStore, tmp_path))  # is called with a namespace and a timeout
            yield place
            place.close()

Which class depends on what the engine offers; `suite` tells them apart. Nothing is ever skipped: a class holds only
what all engines of its kind promise.
"""

import pkgutil

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))
