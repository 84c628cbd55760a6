#!/bin/sh
# SPDX-License-Identifier: MIT
# Software:  Quartz 2.5.0 (Maven: quartz), CronExpression.
# Expected:  0 0 2 L * ? comes at two on the last day of each month.
# Behaviour: it comes in months of 31 days alone, and so do L-3 and LW; no word of it.
# Seen:      L: 01-31 03-31 05-31 07-31 08-31; L-3: 01-28 03-28 05-28 07-28 08-28; LW: 01-30 03-31 05-29 07-31 08-31
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >pom.xml <<'P'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
<dependency><groupId>org.quartz-scheduler</groupId><artifactId>quartz</artifactId><version>2.5.0</version></dependency>
</dependencies></project>
P
mvn -q -B dependency:copy-dependencies -DoutputDirectory=lib >log 2>&1 || { cat log; exit 1; }
cat >Last.java <<'J'
import java.time.Instant;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

public class Last {
	static String days(String text) throws Exception {
		CronExpression cron = new CronExpression(text);
		cron.setTimeZone(TimeZone.getTimeZone("UTC"));
		Date at = Date.from(Instant.parse("2026-01-03T00:00:00Z"));
		StringBuilder out = new StringBuilder(text.split(" ")[3] + ":");
		for (int i = 0; i < 5; i++)
			out.append(' ').append((at = cron.getNextValidTimeAfter(at)).toInstant().toString().substring(5, 10));
		return out.toString();
	}

	public static void main(String[] args) throws Exception {
		System.out.println(days("0 0 2 L * ?") + "; " + days("0 0 2 L-3 * ?") + "; " + days("0 0 2 LW * ?"));
	}
}
J
javac -cp 'lib/*' Last.java 2>/dev/null
java -cp 'lib/*:.' Last 2>/dev/null >out
cat out
[ "$(cat out)" = 'L: 01-31 03-31 05-31 07-31 08-31; L-3: 01-28 03-28 05-28 07-28 08-28; LW: 01-30 03-31 05-29 07-31 08-31' ]
