/* SPDX-License-Identifier: MIT */
/*
 * A server that speaks as MongoDB 4.4 does, for tests: java … Server PORT FILE.
 * It is mongo-java-server, which keeps 64-bit integers, unique ids, guarded
 * updates and upserts as MongoDB does. What it cannot show: logging in (SCRAM),
 * TLS, write concerns, sets of replicas and their elections, the journal (a
 * kill -9 may lose its last second), refusing writes, MongoDB's own speed.
 * SIGUSR2 ends all connections.
 */
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;

public class Server {
	private static final MongoVersion VERSION = new MongoVersion() {
		@Override
		public List<Integer> getVersionArray() {
			return Arrays.asList(4, 4, 0);
		}

		@Override
		public int getWireVersion() {
			return 9;
		}
	};

	public static void main(String[] args) throws Exception {
		H2Backend backend = new H2Backend(args[1]);
		MongoServer server = new MongoServer(backend);
		Method close = MongoServer.class.getDeclaredMethod("closeClients");

		backend.version(VERSION);
		close.setAccessible(true);
		sun.misc.Signal.handle(new sun.misc.Signal("USR2"), signal -> {
			try {
				close.invoke(server);
			} catch (ReflectiveOperationException e) {
				e.printStackTrace();
			}
		});
		Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
		server.bind("127.0.0.1", Integer.parseInt(args[0]));
		Thread.currentThread().join();
	}
}
