#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Quartz 2.5.0 (Maven: quartz), CronExpression.
# Expected:  a step behind a range of named weekdays counts, or is refused; a letter behind a number is refused.
# Behaviour: MON-FRI/2 is every weekday from Monday to Friday (2-6/2 in numbers is not), 5x is the 5th.
# Seen:      MON-FRI/2: 01-05 01-06 01-07; 2-6/2: 01-05 01-07 01-09; 5x: 01-05 02-05 03-05
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >pom.xml <<'X'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
<dependency><groupId>org.quartz-scheduler</groupId><artifactId>quartz</artifactId><version>2.5.0</version></dependency>
</dependencies></project>
X
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >log 2>&1 || { cat log; exit 1; }
cat >Steps.java <<'J'
import java.time.Instant;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

public class Steps {
	static String days(String label, String text) throws Exception {
		CronExpression cron = new CronExpression(text);
		cron.setTimeZone(TimeZone.getTimeZone("UTC"));
		Date at = Date.from(Instant.parse("2026-01-03T00:00:00Z"));
		StringBuilder out = new StringBuilder(label + ":");
		for (int i = 0; i < 3; i++)
			out.append(' ').append((at = cron.getNextValidTimeAfter(at)).toInstant().toString().substring(5, 10));
		return out.toString();
	}

	public static void main(String[] args) throws Exception {
		System.out.println(days("MON-FRI/2", "0 0 0 ? * MON-FRI/2") + "; "
			+ days("2-6/2", "0 0 0 ? * 2-6/2") + "; " + days("5x", "0 0 0 5x * ?"));
	}
}
J
javac -cp 'lib/*' Steps.java 2>/dev/null
java -cp 'lib/*:.' Steps 2>/dev/null >out
cat out
[ "$(cat out)" = 'MON-FRI/2: 01-05 01-06 01-07; 2-6/2: 01-05 01-07 01-09; 5x: 01-05 02-05 03-05' ]
