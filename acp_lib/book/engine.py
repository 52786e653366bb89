"""papermill's own engine, which writes a notebook's file once, when the notebook has ended, however it has.

papermill writes the whole file before and after each cell; figures make that as long as much that the cells compute.

Chapter: How to read and rerun.
"""

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

NAME = "acp"


class Engine(NBClientEngine):
    """Lets papermill's base class, which saves at the end, know the file's path only then."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **given: Any) -> Any:
        path, nb_man.output_path = nb_man.output_path, None
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **given)
        finally:
            nb_man.output_path = path


papermill_engines.register(NAME, Engine)
