# SPDX-License-Identifier: MIT
# Debian packages, from a tree that was configured for /usr:
#   cmake --preset package && cmake --build --preset package && cpack --preset package
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME schedd)
set(CPACK_PACKAGE_VENDOR schedd)
set(CPACK_PACKAGE_CONTACT "The schedd authors <schedd@packages.debian.org>")
# cpack begins each description with it.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "job scheduler that knows what ran")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(SCHEDD_PACKAGING ${CMAKE_CURRENT_LIST_DIR})

# What runs, what programs are linked with, what they are built with, what Python imports, and what
# puts schedd in cron's place.
set(CPACK_COMPONENTS_ALL runtime library development python cron)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME schedd)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION admin)
# procps: kill(1) of the unit's ExecReload.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS "tzdata, procps, sensible-utils")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "default-mta | mail-transport-agent")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "bash-completion, openssh-client, python3-schedd, nodejs")
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
	"The daemon and its command line: schedd runs commands at the times you name, knows what ran, and can tell
why something did not. It keeps jobs and history in SQLite, understands
crontab(5), APScheduler's fields, Quartz and systemd's calendar events,
and loses or doubles no run when it is killed.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${SCHEDD_PACKAGING}/postinst;${SCHEDD_PACKAGING}/prerm;${SCHEDD_PACKAGING}/postrm;${SCHEDD_PACKAGING}/conffiles")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libschedd0)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "tzdata")
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION
	"The library: the scheduler that schedd runs, for programs that have jobs of their own:
triggers, stores, executors and history, in the loop of the program.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
	"${PROJECT_BINARY_DIR}/packaging/shlibs;${PROJECT_BINARY_DIR}/packaging/triggers")
file(WRITE ${PROJECT_BINARY_DIR}/packaging/shlibs
	"libschedd 0 libschedd0 (>= ${PROJECT_VERSION})\n")
file(WRITE ${PROJECT_BINARY_DIR}/packaging/triggers "activate-noawait ldconfig\n")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libschedd-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# What schedd.pc names for those who link statically.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
	"libschedd0 (= ${PROJECT_VERSION}), libevent-dev, libmsgpack-dev, libsqlite3-dev, libyaml-dev, libjansson-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
	"Development files of the library: headers, the static library, and examples that embed the scheduler of schedd
in other programs.")

set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-schedd)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3 (>= 3.9), python3-msgpack")
set(CPACK_DEBIAN_PYTHON_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_PYTHON_DESCRIPTION
	"For Python: a client of schedd with APScheduler's names, and the worker that runs
Python functions as jobs.")

# Nothing but settings: what is in cron's place is schedd itself.
set(CPACK_DEBIAN_CRON_PACKAGE_NAME schedd-cron)
set(CPACK_DEBIAN_CRON_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_CRON_PACKAGE_ARCHITECTURE all)
# cron-daemon-common: /etc/crontab, the directories, the group of the spool.
set(CPACK_DEBIAN_CRON_PACKAGE_DEPENDS "schedd (>= ${PROJECT_VERSION}), cron-daemon-common")
set(CPACK_DEBIAN_CRON_PACKAGE_RECOMMENDS "default-mta | mail-transport-agent")
set(CPACK_DEBIAN_CRON_PACKAGE_PROVIDES "cron, cron-daemon, anacron")
set(CPACK_DEBIAN_CRON_PACKAGE_CONFLICTS "cron, cron-daemon, anacron, bcron, cronie, systemd-cron")
set(CPACK_DEBIAN_CRON_PACKAGE_REPLACES "cron, cron-daemon, anacron, bcron, cronie, systemd-cron")
set(CPACK_DEBIAN_CRON_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_CRON_DESCRIPTION
	"In cron's place: schedd runs /etc/crontab, /etc/cron.d, users' tables and the
scripts of cron.hourly, daily, weekly and monthly, and is crontab(1).
Installing cron again gives all of it back.")
set(CPACK_DEBIAN_CRON_PACKAGE_CONTROL_EXTRA
	"${SCHEDD_PACKAGING}/cron/postinst;${SCHEDD_PACKAGING}/cron/prerm;${SCHEDD_PACKAGING}/cron/postrm")

# What a store keeps jobs on, in words; its type where it is not here.
set(SCHEDD_STORE_postgresql "PostgreSQL")
set(SCHEDD_STORE_mysql "MariaDB and MySQL")
set(SCHEDD_STORE_redis "Redis and Valkey")
set(SCHEDD_STORE_mongodb "MongoDB")
set(SCHEDD_STORE_zookeeper "ZooKeeper")
get_property(SCHEDD_STORE_MODULES GLOBAL PROPERTY SCHEDD_STORE_MODULES)
foreach(module ${SCHEDD_STORE_MODULES})
	string(REPLACE "store_" "" type ${module})
	string(TOUPPER ${module} name)
	set(server ${type})
	if(DEFINED SCHEDD_STORE_${type})
		set(server ${SCHEDD_STORE_${type}})
	endif()
	list(APPEND CPACK_COMPONENTS_ALL ${module})
	set(CPACK_DEBIAN_${name}_PACKAGE_NAME schedd-store-${type})
	set(CPACK_DEBIAN_${name}_PACKAGE_SECTION admin)
	set(CPACK_DEBIAN_${name}_PACKAGE_DEPENDS "schedd (= ${PROJECT_VERSION})")
	set(CPACK_DEBIAN_${name}_DESCRIPTION
		"Jobs on ${server}: the module that keeps jobs of schedd on such a server, and
their history. It is loaded when a store of type ${type} is configured.")
	string(APPEND CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS ", schedd-store-${type}")
endforeach()

# Copyright, changelog, documents, and what Debian wants of them.
set(CPACK_SCHEDD_SOURCE ${PROJECT_SOURCE_DIR})
set(CPACK_PRE_BUILD_SCRIPTS ${SCHEDD_PACKAGING}/debian.cmake)
install(FILES ${SCHEDD_PACKAGING}/schedd.yaml DESTINATION /etc/schedd COMPONENT runtime)
# Of the package alone: an installation by hand has no need of it.
install(FILES ${SCHEDD_PACKAGING}/cron/cron.yaml DESTINATION share/schedd-cron COMPONENT cron EXCLUDE_FROM_ALL)
include(CPack)
