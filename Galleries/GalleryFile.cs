using Microsoft.Data.Sqlite;
using Microsoft.Extensions.VectorData;

namespace MLExtensions.Galleries;

/// <summary>A SQLite file with collections, which several processes may use at once.</summary>
internal sealed class GalleryFile : IDisposable
{
    public const string SystemName = "sqlite";
    private const int FormatVersion = 1;

    private readonly string _connectionString;
    private readonly Lock _preparing = new();
    private bool _isPrepared;
    private bool _isDisposed;

    public GalleryFile(SqliteGalleryOptions options)
    {
        Path = System.IO.Path.GetFullPath(options.Path);
        (Model, Threads) = (options.ModelFingerprint, options.NumberOfThreads ?? Environment.ProcessorCount);
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Mode = options.IsReadOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWriteCreate,
            DefaultTimeout = (int)Math.Ceiling(options.BusyTimeout.TotalSeconds),
            Pooling = true,
        }.ToString();
        IsReadOnly = options.IsReadOnly;
    }

    public string Path { get; }

    /// <summary>Which model the vectors are of; null if that is not said.</summary>
    public string? Model { get; }

    public int Threads { get; }

    public bool IsReadOnly { get; }

    /// <summary>Runs an operation on a connection of its own.</summary>
    /// <param name="operation">Its name, for exceptions.</param>
    /// <param name="collection">The collection; null for all.</param>
    /// <param name="work">The operation.</param>
    /// <param name="cancellation">Cancels it before it begins.</param>
    /// <exception cref="VectorStoreException">SQLite could not do it.</exception>
    public Task<T> RunAsync<T>(string operation, string? collection, Func<SqliteConnection, T> work, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(SqliteGalleryStore));
        return Task.Run(
            () =>
            {
                try
                {
                    using var connection = Open();
                    return work(connection);
                }
                catch (SqliteException e)
                {
                    throw Failure(operation, collection, e.Message, e);
                }
            },
            cancellation);
    }

    public VectorStoreException Failure(string operation, string? collection, string reason, Exception? inner = null) =>
        new($"{operation} of {(collection == null ? "" : $"collection '{collection}' of ")}gallery '{Path}': {reason}", inner)
        {
            VectorStoreSystemName = SystemName,
            VectorStoreName = Path,
            CollectionName = collection,
            OperationName = operation,
        };

    /// <summary>Finds a collection; null if it is not there.</summary>
    public static GalleryEntry? Find(SqliteConnection connection, SqliteTransaction transaction, string name)
    {
        using var exists = Command(connection, transaction, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'galleries'");
        if (exists.ExecuteScalar() == null)
            return null;
        using var command = Command(connection, transaction, "SELECT id, format, layout, model FROM galleries WHERE name = $name", ("$name", name));
        using var reader = command.ExecuteReader();
        if (!reader.Read())
            return null;
        return reader.GetInt32(1) == FormatVersion
            ? new GalleryEntry(reader.GetInt64(0), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3))
            : throw new InvalidOperationException(FormattableString.Invariant($"Collection '{name}' has format {reader.GetInt32(1)}; this library reads {FormatVersion}."));
    }

    public static GalleryEntry Create(SqliteConnection connection, SqliteTransaction transaction, string name, string layout, string? model)
    {
        using (var table = Command(connection, transaction, "CREATE TABLE IF NOT EXISTS galleries (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, format INTEGER NOT NULL, layout TEXT NOT NULL, model TEXT)"))
            table.ExecuteNonQuery();
        using var insert = Command(connection, transaction, "INSERT INTO galleries (name, format, layout, model) VALUES ($name, $format, $layout, $model) RETURNING id", ("$name", name), ("$format", FormatVersion), ("$layout", layout), ("$model", (object?)model ?? DBNull.Value));
        return new GalleryEntry((long)insert.ExecuteScalar()!, layout, model);
    }

    /// <summary>Deletes a collection.</summary>
    public static void Delete(SqliteConnection connection, SqliteTransaction transaction, string name)
    {
        if (Find(connection, transaction, name) is not { } entry)
            return;
        using (var drop = Command(connection, transaction, $"DROP TABLE {entry.Table}"))
            drop.ExecuteNonQuery();
        using var delete = Command(connection, transaction, "DELETE FROM galleries WHERE name = $name", ("$name", name));
        delete.ExecuteNonQuery();
    }

    public static SqliteCommand Command(SqliteConnection connection, SqliteTransaction transaction, string sql, params IEnumerable<(string Name, object Value)> parameters)
    {
        var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (sql, transaction);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        // Idle connections keep the file open.
        using var connection = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(connection);
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            lock (_preparing)
            {
                // Readers and a writer do not wait for each other. The file remembers it.
                if (!_isPrepared && !IsReadOnly)
                    Execute(connection, "PRAGMA journal_mode = WAL");
                _isPrepared = true;
            }
            // What was acknowledged survives even a power failure.
            Execute(connection, "PRAGMA synchronous = FULL");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

/// <summary>What the file says of a collection.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Layout">Its columns.</param>
/// <param name="Model">Which model its vectors are of; null if that was not said.</param>
internal sealed record GalleryEntry(long Id, string Layout, string? Model)
{
    public string Table { get; } = FormattableString.Invariant($"gallery_{Id}");
}
