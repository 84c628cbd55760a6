# SPDX-License-Identifier: MIT
# Debian packages, from a tree that was configured for /usr:
#   cmake --preset package && cmake --build --preset package && cpack --preset package
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME schedd)
set(CPACK_PACKAGE_VENDOR schedd)
set(CPACK_PACKAGE_CONTACT "the schedd maintainers <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "job scheduler: daemon and command line")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)

# What runs, what programs are built with, and what programs in Python import.
set(CPACK_COMPONENTS_ALL runtime development python)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME schedd)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "tzdata, init-system-helpers")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "default-mta | mail-transport-agent, bash-completion, python3-schedd, nodejs")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
	"schedd runs commands at the times you name, knows what ran, and can tell why something did not.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libschedd-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "The same scheduler as a C library, to be embedded in other programs.")
set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-schedd)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3 (>= 3.9), python3-msgpack")
set(CPACK_DEBIAN_PYTHON_PACKAGE_SHLIBDEPS OFF)
set(CPACK_COMPONENT_PYTHON_DESCRIPTION
	"A client of schedd with APScheduler's names, and the worker that runs Python functions.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
	${CMAKE_CURRENT_LIST_DIR}/postinst;${CMAKE_CURRENT_LIST_DIR}/prerm;${CMAKE_CURRENT_LIST_DIR}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
