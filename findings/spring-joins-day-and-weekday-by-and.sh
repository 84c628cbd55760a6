#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Spring Framework 6.1.14, CronExpression (Maven: spring-context), beside cron-utils 9.2.1 (type UNIX).
# Expected:  "0 0 13 * fri" runs on every 13th and on every Friday, as crontab(5) says and cron-utils does.
# Behaviour: Spring runs on Fridays the 13th alone: a line copied from a crontab runs twice or so a year.
# Seen:      spring 2026-02-13 2026-03-13 2026-11-13; cron-utils 2026-01-02 2026-01-09 2026-01-13
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
<dependency><groupId>com.cronutils</groupId><artifactId>cron-utils</artifactId><version>9.2.1</version></dependency>
<dependency><groupId>org.springframework</groupId><artifactId>spring-context</artifactId><version>6.1.14</version></dependency>
</dependencies></project>
X
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >log 2>&1 || { cat log; exit 1; }
cat >Days.java <<'J'
import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.ZonedDateTime;
import org.springframework.scheduling.support.CronExpression;

public class Days {
	public static void main(String[] args) {
		ZonedDateTime start = ZonedDateTime.parse("2026-01-01T00:00:00Z"), at = start;
		CronExpression spring = CronExpression.parse("0 0 0 13 * fri");
		StringBuilder text = new StringBuilder("spring");
		for (int i = 0; i < 3; i++)
			text.append(' ').append((at = spring.next(at)).toLocalDate());
		ExecutionTime unix = ExecutionTime.forCron(new CronParser(
			CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX)).parse("0 0 13 * fri"));
		text.append("; cron-utils");
		at = start;
		for (int i = 0; i < 3; i++)
			text.append(' ').append((at = unix.nextExecution(at).get()).toLocalDate());
		System.out.println(text);
	}
}
J
javac -cp 'lib/*' Days.java 2>/dev/null
java -cp 'lib/*:.' Days 2>/dev/null >out
cat out
[ "$(cat out)" = 'spring 2026-02-13 2026-03-13 2026-11-13; cron-utils 2026-01-02 2026-01-09 2026-01-13' ]
