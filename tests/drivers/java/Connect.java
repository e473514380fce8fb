import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

/** pgjdbc: URLs come in, what each login finds goes out. */
public class Connect {
  public static void main(String[] arguments) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String url; (url = lines.readLine()) != null; ) {
      try {
        System.out.println("{\"found\": " + login(url) + "}");
      } catch (SQLException fault) {
        System.out.println("{\"refused\": \"" + escaped(fault.getSQLState() + ": " + fault.getMessage()) + "\"}");
      }
    }
  }

  private static String login(String url) throws SQLException {
    var settings = new Properties();
    if (System.getenv("POOLED") != null) {
      settings.setProperty("prepareThreshold", "0");
    }
    try (var session = DriverManager.getConnection(url, settings);
        var statement = session.prepareStatement(System.getenv("QUERY"))) {
      String found = null;
      for (int round = 0; round < Integer.parseInt(System.getenv("ROUNDS")); round++) {
        try (var rows = statement.executeQuery()) {
          rows.next();
          found = rows.getString(1);
        }
      }
      return found;
    }
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "").replace("\t", " ");
  }
}
