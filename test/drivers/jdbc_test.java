// SPDX-License-Identifier: PostgreSQL
// Claim: JDBC appends, reads on from a cursor, keeps positions in a table of its own, and gets events, with
// setString(), which sends varchar, with parameters of no type, and with results in binary.
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Arrays;
import java.util.Objects;
import java.util.Properties;

public class jdbc_test {
    // The private server listens on a socket of its directory alone.
    public static class UnixSocketFactory extends javax.net.SocketFactory {
        @Override public Socket createSocket() throws IOException { return new UnixSocket(); }
        @Override public Socket createSocket(String h, int p) throws IOException { return createSocket(); }
        @Override public Socket createSocket(String h, int p, InetAddress l, int q) throws IOException {
            return createSocket();
        }
        @Override public Socket createSocket(InetAddress h, int p) throws IOException { return createSocket(); }
        @Override public Socket createSocket(InetAddress h, int p, InetAddress l, int q) throws IOException {
            return createSocket();
        }
    }

    static class UnixSocket extends Socket {
        private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        private int timeout;
        UnixSocket() throws IOException {}
        @Override public void connect(SocketAddress a, int ms) throws IOException {
            String path = System.getenv("PGHOST") + "/.s.PGSQL." + System.getenv("PGPORT");
            channel.connect(UnixDomainSocketAddress.of(path));
        }
        @Override public boolean isConnected() { return channel.isConnected(); }
        @Override public boolean isClosed() { return !channel.isOpen(); }
        @Override public void close() throws IOException { channel.close(); }
        @Override public InputStream getInputStream() { return Channels.newInputStream(channel); }
        @Override public OutputStream getOutputStream() { return Channels.newOutputStream(channel); }
        @Override public void setTcpNoDelay(boolean on) {}
        @Override public void setKeepAlive(boolean on) {}
        @Override public void setSoTimeout(int ms) { timeout = ms; }
        @Override public int getSoTimeout() { return timeout; }
        @Override public void setReceiveBufferSize(int n) {}
        @Override public int getReceiveBufferSize() { return 65536; }
        @Override public void setSendBufferSize(int n) {}
        @Override public int getSendBufferSize() { return 8192; }
    }

    static int failed = 0;
    static Connection db;

    static void same(String claim, Object got, Object wanted) {
        boolean good = Objects.equals(got, wanted);
        System.out.println((good ? "ok" : "not ok") + " - " + claim);
        if (!good) {
            failed++;
            System.out.println("# got: " + got + "\n# wanted: " + wanted);
        }
    }

    static void bind(PreparedStatement s, Object[] parameters) throws SQLException {
        for (int i = 0; i < parameters.length; i++) {
            if (parameters[i] instanceof String text)
                s.setString(i + 1, text);
            else if (parameters[i] instanceof Open open)
                s.setObject(i + 1, open.text, Types.OTHER);
            else if (parameters[i] instanceof String[] list)
                s.setArray(i + 1, db.createArrayOf("text", list));
            else
                s.setObject(i + 1, parameters[i]);
        }
    }

    // A parameter whose type the server finds out.
    record Open(String text) {}

    // The rows as text, columns with | between, rows with blanks.
    static String rows(String query, Object... parameters) throws SQLException {
        StringBuilder out = new StringBuilder();
        try (PreparedStatement s = db.prepareStatement(query)) {
            bind(s, parameters);
            if (!s.execute())
                return "" + s.getUpdateCount();
            ResultSet r = s.getResultSet();
            while (r.next()) {
                out.append(out.length() > 0 ? " " : "");
                for (int i = 1; i <= r.getMetaData().getColumnCount(); i++)
                    out.append(i > 1 ? "|" : "").append(r.getString(i));
            }
        }
        return out.toString();
    }

    static void run(String how, String suffix) throws SQLException {
        String s = "s" + suffix, b = "b" + suffix;
        rows("DELETE FROM mine");
        String first = rows("SELECT weir.append(?, ?)", s, new Open("{\"n\": 1}"));
        rows("SELECT weir.append(?, ?::jsonb)", s, "{\"n\": 2}");
        rows("SELECT weir.append_text(?, ?)", s, "three");
        rows("SELECT weir.append_bytes(?, ?)", s, new byte[] {0, -1});
        same(how + "reads on from a cursor", rows("SELECT payload FROM weir.read(?, after => ?)", s, first),
             "{\"n\": 2} \"three\" null");
        same(how + "a batch of JSON",
             rows("SELECT frames FROM weir.append_batch(?, ?::jsonb[])", b, new String[] {"1", "[2]"}), "2");
        same(how + "or text", rows("SELECT frames FROM weir.append_text_batch(?, ?)", b, new String[] {"{", "2"}), "2");
        for (String p : new String[] {"10-0", "10-1", "11-0"})
            rows("INSERT INTO mine VALUES (?, ?)", p, "note" + p);
        same(how + "=", rows("SELECT note FROM mine WHERE id = ?", "10-1"), "note10-1");
        same(how + "<", rows("SELECT count(*) FROM mine WHERE id < ?", "11-0"), "2");
        same(how + "IN", rows("SELECT count(*) FROM mine WHERE id IN (?, ?)", "10-0", "11-0"), "2");
        same(how + "= ANY of a list",
             rows("SELECT count(*) FROM mine WHERE id = ANY (?)", (Object) new String[] {"10-0", "11-0"}), "2");
        same(how + "BETWEEN", rows("SELECT count(*) FROM mine WHERE id BETWEEN ? AND ?", "10-0", "10-9"), "2");
        same(how + "IS DISTINCT FROM", rows("SELECT count(*) FROM mine WHERE id IS DISTINCT FROM ?", "10-0"), "2");
        same(how + "NULLIF", rows("SELECT NULLIF(id, ?) FROM mine ORDER BY id LIMIT 1", "10-0"), "null");
        same(how + "max", rows("SELECT max(id) FROM mine"), "11-0");
        same(how + "no type", rows("SELECT count(*) FROM mine WHERE id = ?", new Open("10-0")), "1");
        same(how + "lists of cursors", rows("SELECT count(*) FROM weir.read_many(?, after => ?)",
                                            new String[] {s, b}, new String[] {first, "-"}), "7");
        try {
            same(how + "what names no position is refused",
                 rows("SELECT count(*) FROM mine WHERE id = ?", "nonsense"), "an error");
        } catch (SQLException e) {
            same(how + "what names no position is refused", e.getSQLState(), "22P02");
        }
    }

    static Connection connect(String name, String value) throws SQLException {
        Properties p = new Properties();
        p.setProperty("user", System.getenv("PGUSER"));
        p.setProperty("socketFactory", UnixSocketFactory.class.getName());
        p.setProperty("sslmode", "disable");
        p.setProperty("gssEncMode", "disable");
        p.setProperty(name, value);
        return DriverManager.getConnection("jdbc:postgresql://localhost/" + System.getenv("PGDATABASE"), p);
    }

    public static void main(String[] arguments) throws Exception {
        db = connect("stringtype", "varchar");
        run("", "");
        db = connect("stringtype", "unspecified");
        run("stringtype=unspecified: ", "u");
        db = connect("prepareThreshold", "-1"); // results in binary, as far as the driver knows a type
        run("binary: ", "b");
        try (PreparedStatement q = db.prepareStatement("SELECT weir.position_send(max(id)) FROM mine")) {
            ResultSet r = q.executeQuery();
            r.next();
            byte[] bytes = r.getBytes(1);
            same("the binary form is eight bytes", Arrays.toString(bytes), "[0, 0, 0, 0, 0, -80, 0, 0]");
            same("which a cast takes back", rows("SELECT note FROM mine WHERE id = ?::weir.position", bytes),
                 "note11-0");
        }
        rows("SELECT weir.emit(stream => ?, type => ?, payload => ?)", "events", "made", new Open("{\"a\": 1}"));
        db.setAutoCommit(false);
        same("emit and fetch", rows("SELECT type, payload FROM weir.fetch(?)", "sub"), "made|{\"a\": 1}");
        rows("SELECT weir.ack(?)", "sub");
        db.commit();
        same("acknowledged", rows("SELECT type FROM weir.fetch(?)", "sub"), "");
        db.commit();
        System.exit(failed > 0 ? 1 : 0);
    }
}
