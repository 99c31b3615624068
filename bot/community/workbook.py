"""Reads Excel files in a process of its own, since one small file can ask for any amount of memory.

Run as a program it prints the cells of the first sheet as JSON; the hub itself only reads those.
"""

import io
import json
import subprocess
import sys
from typing import Any

MEMORY_BYTES, CPU_SECONDS = 1024 * 1024 * 1024, 30
PATIENCE = 120.0
"""Seconds until the reading process is ended, however busy the machine is."""


class WorkbookError(Exception):
    """The file cannot be read; the text is one sentence that says why and what to do."""


def read_workbook(data: bytes, max_rows: int, max_columns: int) -> list[list[str]]:
    """Return the cells of the first sheet as text.

    Raises WorkbookError if there are more rows or columns than these, if reading takes too much
    memory or time, or if it is no workbook.
    """
    try:
        # -I: nothing but this file and the installed libraries is loaded
        ended = subprocess.run(  # noqa: S603 - our own file, with numbers as arguments
            [sys.executable, "-I", __file__, str(max_rows), str(max_columns)],
            input=data, capture_output=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        answer: Any = json.loads(ended.stdout) if ended.returncode == 0 else {"fault": "size"}
    except (subprocess.TimeoutExpired, ValueError):
        answer = {"fault": "size"}
    if "fault" in answer:
        raise WorkbookError(_describe(answer["fault"], max_rows, max_columns))
    rows: list[list[str]] = answer["rows"]
    return rows


def _describe(fault: str, max_rows: int, max_columns: int) -> str:
    if fault == "rows":
        return f"There are more than {max_rows - 1:,} rows: split the file."
    if fault == "columns":
        return f"There are cells beyond column {max_columns}: copy the list alone into a new file."
    if fault == "size":
        return (
            "The Excel file takes too much memory, perhaps for one cell far away from the list: "
            "copy the list alone into a new file, or save it as CSV."
        )
    return f"The Excel file cannot be read ({fault}): save it as CSV."


def _read(data: bytes, max_rows: int, max_columns: int) -> dict[str, object]:
    from python_calamine import CalamineError, load_workbook

    try:
        sheet = load_workbook(io.BytesIO(data)).get_sheet_by_index(0)
        if sheet.total_height > max_rows:
            return {"fault": "rows"}
        if sheet.total_width > max_columns:
            return {"fault": "columns"}
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, IndexError) as error:
        return {"fault": type(error).__name__}
    return {"rows": [[_cell_text(cell) for cell in row] for row in rows]}


def _cell_text(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def main() -> None:
    """Print what the workbook on standard input holds; end with an error if it takes too much."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = _read(sys.stdin.buffer.read(), int(sys.argv[1]), int(sys.argv[2]))
        json.dump(found, sys.stdout)
    except MemoryError:
        sys.exit(1)


if __name__ == "__main__":
    main()
