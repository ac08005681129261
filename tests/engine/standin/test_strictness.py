"""The well-known wrong copies fail on the stand-ins as they fail on the real images, with the same words.

Each has its right counterpart beside it: a stand-in on which nothing runs would be strict too.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from .conftest import Bench

DISTROLESS = "gcr.io/distroless"
STATIC, BASE, CC, PYTHON, NODE, JAVA = (
    f"{DISTROLESS}/{name}-debian13:nonroot" for name in ("static", "base", "cc", "python3", "nodejs26", "java-base")
)

HELLO_C = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
HELLO_CPP = '#include <iostream>\nint main() { std::cout << "hello" << std::endl; }\n'
COMPILE = "FROM golang:1.27-trixie AS build\nCOPY hello.* .\nRUN {compiler} -o /hello {options} hello.{suffix}\n"

SITE = "/install/lib/python3.13/site-packages"
DIST = "/usr/local/lib/python3.13/dist-packages"
NO_FILE = "no such file or directory"


def _wheel(folder: Path) -> None:
    """Write a package with one module and one script, as a package index would give it."""
    info = "greeting-1.0.dist-info"
    with zipfile.ZipFile(folder / "greeting-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greeting/__init__.py", "def main():\n    print('hello')\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/entry_points.txt", "[console_scripts]\ngreet = greeting:main\n")
        wheel.writestr(f"{info}/RECORD", "")
    (folder / "app.py").write_text("import greeting\n\ngreeting.main()\n")


def _python(pip: str, final: str) -> str:
    return (
        "FROM python:3.13-slim-trixie AS build\nCOPY *.whl /\n"
        f"RUN pip install --no-index {pip} /*.whl\nFROM {PYTHON}\nWORKDIR /app\nCOPY app.py .\n{final}"
    )


def _compiled(final: str, *, compiler: str = "gcc", options: str = "", suffix: str = "c") -> str:
    build = COMPILE.format(compiler=compiler, options=options, suffix=suffix)
    return f'{build}FROM {final}\nCOPY --from=build /hello /hello\nENTRYPOINT ["/hello"]\n'


class TestPython:
    def test_packages_installed_with_prefix_are_not_found(self, bench: Bench) -> None:
        _wheel(bench.folder)
        wrong = _python("--prefix=/install", 'COPY --from=build /install /usr/local\nCMD ["app.py"]')

        answer = bench.run(dockerfile=wrong)

        assert answer.code == 1
        assert "ModuleNotFoundError: No module named 'greeting'" in answer.output

    def test_a_script_installed_with_prefix_has_no_interpreter(self, bench: Bench) -> None:
        _wheel(bench.folder)
        wrong = _python(
            "--prefix=/install", 'COPY --from=build /install /usr/local\nENTRYPOINT ["/usr/local/bin/greet"]'
        )

        answer = bench.run(dockerfile=wrong)

        assert answer.code != 0
        assert f"exec /usr/local/bin/greet: {NO_FILE}" in answer.output

    @pytest.mark.parametrize(
        ("pip", "final"),
        [
            ("--target=/deps", 'COPY --from=build /deps /deps\nENV PYTHONPATH=/deps\nCMD ["app.py"]'),
            ("--prefix=/install", f'COPY --from=build {SITE} {DIST}\nCMD ["app.py"]'),
        ],
        ids=["target-and-pythonpath", "dist-packages"],
    )
    def test_packages_in_a_place_that_is_searched_are_found(self, bench: Bench, pip: str, final: str) -> None:
        _wheel(bench.folder)

        answer = bench.run(dockerfile=_python(pip, final))

        assert (answer.code, answer.output) == (0, "hello\n")

    def test_compiled_parts_of_another_minor_version_are_not_found(self, bench: Bench) -> None:
        """A module compiled for 3.11 is one whose name says so; pure Python beside it is imported all the same."""
        wrong = f"""\
FROM python:3.13-slim-trixie AS build
RUN mkdir -p /deps/fast && touch /deps/fast/__init__.py \\
 && cp /usr/local/lib/python3.13/lib-dynload/_bz2.cpython-313-*.so /deps/fast/_bz2.cpython-311-x86_64-linux-gnu.so
FROM {PYTHON}
COPY --from=build /deps /usr/local/lib/python3.11/site-packages
ENV PYTHONPATH=/usr/local/lib/python3.11/site-packages
"""
        answer = bench.run("-c", "import fast; print('pure'); import fast._bz2", dockerfile=wrong)

        assert answer.code == 1
        assert "pure\n" in answer.output
        assert "ModuleNotFoundError: No module named 'fast._bz2'" in answer.output

    @pytest.mark.parametrize(
        ("link", "code", "words"),
        [
            ("true", 127, NO_FILE),
            ("ln -s /usr/local/bin/python3 /usr/bin/python", 0, "/venv/lib/python3.13/site-packages"),
        ],
        ids=["as-the-image-has-it", "through-usr-bin-python"],
    )
    def test_a_venv_starts_only_if_its_python_is_where_debian_has_it(
        self, bench: Bench, link: str, code: int, words: str
    ) -> None:
        python = "/usr/bin/python" if code == 0 else "python"
        answer = bench.run(
            *("-c", "import sys; print(sys.path)"),
            dockerfile=f"""\
FROM python:3.13-slim-trixie AS build
RUN {link} && {python} -m venv --without-pip /venv
FROM {PYTHON}
COPY --from=build /venv /venv
ENTRYPOINT ["/venv/bin/python3"]
""",
        )
        assert answer.code == code
        assert words in answer.output

    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ('CMD ["python", "app.py"]', "can't open file '/app/python': [Errno 2] No such file or directory"),
            ("CMD app.py", "can't open file '/bin/sh': [Errno 2] No such file or directory"),
            ('CMD ["-m", "pip", "list"]', "No module named pip"),
            ('CMD ["-c", "import subprocess; subprocess.run(\'ls\', shell=True)"]', "FileNotFoundError"),
            ('CMD ["-m", "venv", "/tmp/venv"]', "returned non-zero exit status 1"),
        ],
        ids=["name-of-the-interpreter", "shell-form", "pip", "shell", "venv-with-pip"],
    )
    def test_what_a_distroless_python_lacks_fails_in_its_words(self, bench: Bench, command: str, words: str) -> None:
        (bench.folder / "app.py").write_text("print('hello')\n")

        answer = bench.run(dockerfile=f"FROM {PYTHON}\nWORKDIR /app\nCOPY app.py .\n{command}\n")

        assert answer.code != 0
        assert words in answer.output

    def test_the_right_command_runs_and_finds_libraries_zones_and_certificates(self, bench: Bench) -> None:
        (bench.folder / "app.py").write_text(
            "import ctypes.util, locale, ssl, zoneinfo\n"
            "print(ctypes.util.find_library('c'), locale.getlocale()[1])\n"
            "print('Europe/Kiev' in zoneinfo.available_timezones())\n"
            "print(len(ssl.create_default_context().get_ca_certs()) > 100)\n"
        )
        right = f'FROM {PYTHON}\nWORKDIR /app\nCOPY app.py .\nCMD ["app.py"]\n'

        assert bench.run(dockerfile=right).output == "libc.so.6 UTF-8\nTrue\nTrue\n"


class TestCompiled:
    @pytest.fixture(autouse=True)
    def sources(self, tmp_path: Path) -> None:
        (tmp_path / "hello.c").write_text(HELLO_C)
        (tmp_path / "hello.cpp").write_text(HELLO_CPP)

    def test_a_glibc_binary_does_not_start_on_static(self, bench: Bench) -> None:
        answer = bench.run(dockerfile=_compiled(STATIC))

        assert answer.code != 0
        assert f"exec /hello: {NO_FILE}" in answer.output

    @pytest.mark.parametrize(("final", "options"), [(STATIC, "-static"), (BASE, "")], ids=["static", "on-base"])
    def test_a_static_binary_starts_on_static_and_a_glibc_binary_on_base(
        self, bench: Bench, final: str, options: str
    ) -> None:
        assert bench.run(dockerfile=_compiled(final, options=options)).output == "hello\n"

    def test_a_cpp_binary_finds_no_standard_library_on_base(self, bench: Bench) -> None:
        answer = bench.run(dockerfile=_compiled(BASE, compiler="g++", suffix="cpp"))

        assert answer.code == 127
        assert "libstdc++.so.6: cannot open shared object file: No such file or directory" in answer.output

    def test_a_cpp_binary_starts_on_cc(self, bench: Bench) -> None:
        assert bench.run(dockerfile=_compiled(CC, compiler="g++", suffix="cpp")).output == "hello\n"

    def test_wget_copied_from_debian_lacks_its_libraries(self, bench: Bench) -> None:
        wrong = f"FROM golang:1.27-trixie AS build\nFROM {BASE}\nCOPY --from=build /usr/bin/wget /usr/bin/wget\n"

        answer = bench.run(dockerfile=f'{wrong}ENTRYPOINT ["/usr/bin/wget"]\n')

        assert answer.code == 127
        assert "error while loading shared libraries" in answer.output

    def test_a_run_line_needs_the_shell_that_is_not_there(self, bench: Bench) -> None:
        answer = bench.build(f"FROM {STATIC}\nRUN echo hello\n")

        assert answer.code != 0
        assert 'exec: "/bin/sh": stat /bin/sh: no such file or directory' in answer.output

    @pytest.mark.parametrize(
        "command", ["CMD /hello", 'ENTRYPOINT "/hello"', 'CMD ["sh"]'], ids=["cmd", "entrypoint", "sh"]
    )
    def test_shell_forms_do_not_start(self, bench: Bench, command: str) -> None:
        wrong = _compiled(STATIC, options="-static").replace('ENTRYPOINT ["/hello"]', command)

        answer = bench.run(dockerfile=wrong)

        assert answer.code == 127
        assert NO_FILE in answer.output or "executable file not found in $PATH" in answer.output

    def test_a_binary_named_by_cmd_alone_becomes_a_shell_script_on_debug(self, bench: Bench) -> None:
        wrong = _compiled(STATIC.replace("nonroot", "debug-nonroot"), options="-static")

        answer = bench.run(dockerfile=wrong.replace("ENTRYPOINT", "CMD"))

        assert answer.code != 0
        assert "/hello: line" in answer.output
        assert "syntax error" in answer.output

    def test_the_home_of_nonroot_is_closed_to_any_other_uid(self, bench: Bench) -> None:
        answer = bench.run("-c", "open('note', 'w')", dockerfile=f"FROM {PYTHON}\n", user="1234567:0")

        assert answer.code == 1
        assert "PermissionError: [Errno 13] Permission denied: 'note'" in answer.output

    def test_nonroot_writes_in_its_home(self, bench: Bench) -> None:
        assert bench.run("-c", "open('note', 'w')", dockerfile=f"FROM {PYTHON}\n").code == 0

    def test_any_uid_runs_in_a_folder_of_its_own(self, bench: Bench) -> None:
        right = _compiled(STATIC, options="-static") + "WORKDIR /app\n"

        assert bench.run(dockerfile=right, user="1234567:0").output == "hello\n"


class TestNode:
    @pytest.mark.parametrize(
        ("command", "words"),
        [
            ('CMD ["node", "app.js"]', "Error: Cannot find module '/app/node'"),
            ("CMD app.js", "Error: Cannot find module '/bin/sh'"),
            ('ENTRYPOINT ["npm", "start"]', '"npm": executable file not found in $PATH'),
            ('ENTRYPOINT ["node", "app.js"]', '"node": executable file not found in $PATH'),
        ],
        ids=["name-of-the-interpreter", "shell-form", "npm", "not-on-the-path"],
    )
    def test_what_a_distroless_node_lacks_fails_in_its_words(self, bench: Bench, command: str, words: str) -> None:
        (bench.folder / "app.js").write_text("console.log('hello')\n")

        answer = bench.run(dockerfile=f"FROM {NODE}\nWORKDIR /app\nCOPY app.js .\n{command}\n")

        assert answer.code != 0
        assert words in answer.output

    def test_the_right_command_runs(self, bench: Bench) -> None:
        (bench.folder / "app.js").write_text("console.log('hello')\n")
        right = f'FROM {NODE}\nWORKDIR /app\nCOPY app.js .\nCMD ["app.js"]\n'

        assert bench.run(dockerfile=right).output == "hello\n"

    @pytest.mark.parametrize("final", [BASE, CC], ids=["base", "cc"])
    def test_node_copied_to_a_smaller_family_lacks_a_library(self, bench: Bench, final: str) -> None:
        wrong = f"FROM node:26-trixie-slim AS build\nFROM {final}\nCOPY --from=build /usr/local/bin/node /node\n"

        answer = bench.run(dockerfile=f'{wrong}ENTRYPOINT ["/node", "--version"]\n')

        assert answer.code == 127
        assert "libatomic.so.1: cannot open shared object file" in answer.output


class TestJava:
    PROGRAM = """\
import java.security.KeyStore;
import java.security.cert.*;
import java.util.*;
import javax.net.ssl.*;

public class Trust {
    public static void main(String[] arguments) throws Exception {
        System.out.println(System.getProperty("native.encoding") + " " + System.getProperty("sun.jnu.encoding"));
        var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        var anchors = new HashSet<TrustAnchor>();
        for (var each : ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers()) {
            anchors.add(new TrustAnchor(each, null));
        }
        System.out.println(new PKIXParameters(anchors).getTrustAnchors().size() > 100);
    }
}
"""
    BUILD = """\
FROM maven:3.9-eclipse-temurin-25 AS build
COPY Trust.java .
RUN javac -d /classes Trust.java
RUN keytool -importkeystore -noprompt -srckeystore "$JAVA_HOME/lib/security/cacerts" -srcstorepass changeit \\
      -destkeystore /pkcs12 -deststoretype PKCS12 -deststorepass changeit 2> /dev/null
"""

    @pytest.fixture(autouse=True)
    def program(self, tmp_path: Path) -> None:
        (tmp_path / "Trust.java").write_text(self.PROGRAM)

    def _image(self, *lines: str, final: str = JAVA) -> str:
        java = "COPY --from=eclipse-temurin:25-jre /opt/java/openjdk /java\nCOPY --from=build /classes /app"
        start = 'ENTRYPOINT ["/java/bin/java", "-cp", "/app", "Trust"]'
        return "\n".join([self.BUILD + f"FROM {final}", java, *lines, start, ""])

    def test_a_pkcs12_trust_store_has_no_entries_for_java(self, bench: Bench) -> None:
        answer = bench.run(dockerfile=self._image("COPY --from=build /pkcs12 /java/lib/security/cacerts"))

        assert answer.code == 1
        assert "InvalidAlgorithmParameterException: the trustAnchors parameter must be non-empty" in answer.output

    def test_the_key_store_of_java_base_is_trusted_and_file_names_are_utf_8(self, bench: Bench) -> None:
        right = self._image(f"COPY --from={JAVA} /etc/ssl/certs/java/cacerts /java/lib/security/cacerts")

        assert bench.run(dockerfile=right).output == "UTF-8 UTF-8\ntrue\n"

    def test_a_shell_form_command_is_taken_for_the_jar(self, bench: Bench) -> None:
        wrong = self._image().replace('"-cp", "/app", "Trust"]', '"-jar"]\nCMD app.jar')

        answer = bench.run(dockerfile=wrong)

        assert answer.code == 1
        assert "Unable to access jarfile /bin/sh" in answer.output

    def test_a_java_runtime_does_not_start_on_static(self, bench: Bench) -> None:
        answer = bench.run(dockerfile=self._image(final=STATIC))

        assert answer.code != 0
        assert f"exec /java/bin/java: {NO_FILE}" in answer.output
