"""How nbgrader marks the course. `make classroom` copies this file to dist/nbgrader/."""

from unittest.mock import patch

from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute

c = get_config()  # noqa: F821 - traitlets puts it here


class Mark(Execute):
    """Runs a submission in marking mode: a check raises where its answer is wrong or missing."""

    def preprocess(self, nb, resources, *args, **kwargs):
        with patch.dict("os.environ", MMTUTOR_GRADE="1"):
            nb, resources = super().preprocess(nb, resources, *args, **kwargs)
        for cell in nb.cells:
            marks = cell.metadata.get("nbgrader", {})
            for output in cell.get("outputs", []):
                if marks.get("grade"):
                    self.show(output)
                elif marks.get("locked"):
                    self.refuse(output, marks.grade_id)
        return nb, resources

    def show(self, output):
        """Keep a check's report for the reader; nbgrader would look for a number of points in a result."""
        if output.output_type == "execute_result":
            output.output_type = "display_data"
            output.pop("execution_count", None)

    def refuse(self, output, name):
        """No marks rather than wrong ones: mmtutor is missing, or a cell of the class's broke the lesson."""
        if output.output_type == "error":
            where = f"cell {name} of the lesson failed: {output.ename}: {output.evalue}"
            raise RuntimeError(f"{where}; this submission has no marks yet")


steps = Autograde.autograde_preprocessors.default_args[0]
c.Autograde.autograde_preprocessors = [Mark if step is Execute else step for step in steps]

c.CourseDirectory.course_id = "mmtutor"
c.Execute.timeout = 600  # seconds a cell; nbgrader's own limit is 30
c.ClearSolutions.code_stub = {"python": ""}  # the stub stands above the solution already
c.LockCells.lock_readonly_cells = False  # a class may try things in the lesson; marking runs the original
c.OverwriteCells.add_missing_cells = True  # a check that was deleted is put back
