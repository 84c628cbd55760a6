// SPDX-License-Identifier: MIT
// ns of CPU time per next fire time of Quartz's CronExpression, one JSON line each.
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

public class NextQuartz {
	private static final long START = 1767225600000L; // 2026-01-01
	private static final long END = 2082758400000L; // 2036-01-01
	private static final String[][] ROWS = {
		{"every minute", "0 * * * * ?", "UTC"},
		{"weekdays at 9", "0 0 9 ? * 2-6", "UTC"},
		{"29 February", "0 0 0 29 2 ?", "UTC"},
		{"02:30 Berlin", "0 30 2 * * ?", "Europe/Berlin"},
		{"last Friday", "0 15 10 ? * 6L", "UTC"},
		{"every 10 s", "*/10 * * * * ?", "UTC"},
	};

	private static double run(CronExpression expression, int count) {
		ThreadMXBean threads = ManagementFactory.getThreadMXBean();
		long begin = threads.getCurrentThreadCpuTime();
		Date at = new Date(START);
		for (int i = 0; i < count; i++) {
			at = expression.getNextValidTimeAfter(at);
			if (at.getTime() > END)
				at = new Date(START);
		}
		return (threads.getCurrentThreadCpuTime() - begin) / (double) count;
	}

	public static void main(String[] args) throws Exception {
		for (String[] row : ROWS) {
			CronExpression expression = new CronExpression(row[1]);
			expression.setTimeZone(TimeZone.getTimeZone(row[2]));
			run(expression, 100000); // until the compiler has settled
			System.out.printf("{\"bench\": \"next\", \"peer\": \"quartz\", \"name\": \"%s\", \"next_ns\": %.1f}%n",
				row[0], run(expression, 200000));
		}
	}
}
