// SPDX-License-Identifier: MIT
// No-op jobs due each second in Quartz's clustered JDBC store: how many it runs a second. One JSON line.
//   DueQuartz JDBC_URL JOBS SECONDS THREADS BATCH
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.JobExecutionContext;
import org.quartz.Scheduler;
import org.quartz.SimpleScheduleBuilder;
import org.quartz.TriggerBuilder;
import org.quartz.impl.StdSchedulerFactory;

public class DueQuartz {
	private static final AtomicLong ran = new AtomicLong();

	public static class Noop implements Job {
		@Override
		public void execute(JobExecutionContext context) {
			ran.incrementAndGet();
		}
	}

	private static void makeTables(String url) throws Exception {
		try (InputStream in = Scheduler.class.getResourceAsStream("/org/quartz/impl/jdbcjobstore/tables_postgres.sql");
			Connection connection = DriverManager.getConnection(url);
			Statement statement = connection.createStatement()) {
			statement.execute(new String(in.readAllBytes(), StandardCharsets.UTF_8));
		}
	}

	public static void main(String[] args) throws Exception {
		String url = args[0];
		int jobs = Integer.parseInt(args[1]), seconds = Integer.parseInt(args[2]);
		makeTables(url);
		Properties options = new Properties();
		options.put("org.quartz.scheduler.instanceId", "AUTO");
		options.put("org.quartz.scheduler.skipUpdateCheck", "true");
		options.put("org.quartz.scheduler.batchTriggerAcquisitionMaxCount", args[4]);
		options.put("org.quartz.threadPool.class", "org.quartz.simpl.SimpleThreadPool");
		options.put("org.quartz.threadPool.threadCount", args[3]);
		options.put("org.quartz.jobStore.class", "org.quartz.impl.jdbcjobstore.JobStoreTX");
		options.put("org.quartz.jobStore.driverDelegateClass", "org.quartz.impl.jdbcjobstore.PostgreSQLDelegate");
		options.put("org.quartz.jobStore.isClustered", "true");
		options.put("org.quartz.jobStore.acquireTriggersWithinLock", "true");
		options.put("org.quartz.jobStore.dataSource", "db");
		options.put("org.quartz.dataSource.db.driver", "org.postgresql.Driver");
		options.put("org.quartz.dataSource.db.URL", url);
		options.put("org.quartz.dataSource.db.maxConnections", String.valueOf(Integer.parseInt(args[3]) + 3));
		Scheduler scheduler = new StdSchedulerFactory(options).getScheduler();
		for (int i = 0; i < jobs; i++) {
			JobDetail job = JobBuilder.newJob(Noop.class).withIdentity("job-" + i).build();
			scheduler.scheduleJob(job, TriggerBuilder.newTrigger().withIdentity("job-" + i).withSchedule(
				SimpleScheduleBuilder.repeatSecondlyForever(1).withMisfireHandlingInstructionNextWithRemainingCount()).build());
		}
		scheduler.start();
		Thread.sleep(3000);
		long begin = System.nanoTime(), before = ran.get();
		Thread.sleep(seconds * 1000L);
		double rate = (ran.get() - before) / ((System.nanoTime() - begin) / 1e9);
		System.out.printf("{\"peer\":\"quartz\",\"per_second\":%.0f}%n", rate);
		System.exit(0);
	}
}
