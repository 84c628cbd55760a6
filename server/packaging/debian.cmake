# SPDX-License-Identifier: MIT
# Run by cpack for each package, between staging its files and packing them: what a Debian package has
# besides what an installation has. CPACK_TEMPORARY_DIRECTORY holds a folder a component.
cmake_minimum_required(VERSION 3.25)

function(debian_compress file)
	execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(debian_changelog file)
	execute_process(COMMAND date -R -r ${CPACK_SCHEDD_SOURCE}/CHANGELOG.md
		OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
	execute_process(COMMAND awk -v "contact=${CPACK_PACKAGE_CONTACT}" -v "date=${date}"
		-f ${CPACK_SCHEDD_SOURCE}/server/packaging/changelog.awk
		${CPACK_SCHEDD_SOURCE}/CHANGELOG.md
		OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Licence, changes and documents of one package.
function(debian_documents root package)
	set(documents ${root}/usr/share/doc/${package})
	file(MAKE_DIRECTORY ${documents})
	file(READ ${CPACK_SCHEDD_SOURCE}/LICENSE licence)
	string(REGEX MATCH "Copyright [^\n]*" holder "${licence}")
	string(REGEX REPLACE "^.*Copyright [^\n]*\n\n" "" licence "${licence}")
	string(REGEX REPLACE "\n\n" "\n.\n" licence "${licence}")
	string(REGEX REPLACE "\n" "\n " licence "${licence}")
	string(STRIP "${licence}" licence)
	string(REGEX REPLACE "^Copyright (\\([cC]\\) )?" "" holder "${holder}")
	file(WRITE ${documents}/copyright
		"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
		"Upstream-Name: schedd\n\n"
		"Files: *\nCopyright: ${holder}\nLicense: Expat\n\n"
		"License: Expat\n ${licence}\n")
	debian_changelog(${documents}/changelog)
	file(CHMOD ${documents}/changelog ${documents}/copyright
		PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
	debian_compress(${documents}/changelog)
endfunction()

function(debian_extra root package folder)
	file(MAKE_DIRECTORY ${root}/usr/share/doc/${package}/${folder})
	foreach(file ${ARGN})
		file(COPY ${CPACK_SCHEDD_SOURCE}/${file}
			DESTINATION ${root}/usr/share/doc/${package}/${folder}
			FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
	endforeach()
endfunction()

function(debian_component component package)
	set(root ${CPACK_TEMPORARY_DIRECTORY}/${component})
	if(NOT IS_DIRECTORY ${root})
		return()
	endif()
	debian_documents(${root} ${package})
	file(GLOB_RECURSE pages ${root}/usr/share/man/*.[1-9])
	foreach(page ${pages})
		debian_compress(${page})
	endforeach()
	# Symbols that only a debugger wants.
	file(GLOB_RECURSE archives ${root}/usr/*.a)
	foreach(archive ${archives})
		execute_process(COMMAND strip --strip-debug --enable-deterministic-archives ${archive}
			COMMAND_ERROR_IS_FATAL ANY)
	endforeach()
	if(component STREQUAL "runtime")
		file(MAKE_DIRECTORY ${root}/usr/share/lintian/overrides)
		file(COPY_FILE ${CPACK_SCHEDD_SOURCE}/server/packaging/schedd.lintian-overrides
			${root}/usr/share/lintian/overrides/${package})
		file(CHMOD ${root}/usr/share/lintian/overrides/${package}
			PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
		debian_extra(${root} ${package} "" README.md proto/PROTOCOL.md)
		debian_extra(${root} ${package} examples server/packaging/jobs.yaml server/packaging/schedd.yaml)
	elseif(component STREQUAL "development")
		file(GLOB examples RELATIVE ${CPACK_SCHEDD_SOURCE} ${CPACK_SCHEDD_SOURCE}/tests/examples/*.c)
		debian_extra(${root} ${package} examples ${examples})
	endif()
endfunction()

debian_component(runtime schedd)
debian_component(library libschedd0)
debian_component(development libschedd-dev)
debian_component(python python3-schedd)
debian_component(cron schedd-cron)
file(GLOB stores RELATIVE ${CPACK_TEMPORARY_DIRECTORY} ${CPACK_TEMPORARY_DIRECTORY}/store_*)
foreach(store ${stores})
	string(REPLACE "_" "-" package schedd-${store})
	debian_component(${store} ${package})
endforeach()
