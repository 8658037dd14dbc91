using System.Runtime.CompilerServices;
using Microsoft.Extensions.VectorData;
using MLExtensions.Galleries;

namespace MLExtensions;

/// <summary>
/// Galleries of embeddings in one SQLite file, behind the interface of <c>Microsoft.Extensions.VectorData</c>: an application that uses it can
/// change to another store, and back.
/// </summary>
/// <remarks>
/// <para>
/// Vectors are searched exactly, in blocks of 1,024: no index has to be built or kept, and memory does not grow with the gallery. One store can be
/// used by several threads, and one file by several processes at once; readers and a writer do not wait for each other (write-ahead log), and two
/// writers wait for up to <see cref="SqliteGalleryOptions.BusyTimeout"/>. What was acknowledged is on the disk: neither the end of the process nor
/// a power failure loses it. All records of one call are written, or none.
/// </para>
/// <para>
/// Records have one key (string, int, long or Guid), data (string, bool, numbers, Guid, DateTimeOffset, which comes back in UTC, and byte[]),
/// and at least one vector (float[], ReadOnlyMemory&lt;float&gt; or Embedding&lt;float&gt;). Vectors must be finite and have the number of
/// dimensions that the property says. A record whose key exists replaces it.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// using var store = new SqliteGalleryStore("people.db", modelFingerprint: "faces-2026-11");
/// var people = store.GetCollection&lt;string, Person&gt;("people");
/// await people.EnsureCollectionExistsAsync();
/// await people.UpsertAsync(new Person { Name = "Ada", Embedding = embedding });
/// await foreach (var found in people.SearchAsync(asked, top: 3))
///     Console.WriteLine($"{found.Record.Name} {found.Score}");
/// </code>
/// </example>
public sealed class SqliteGalleryStore : VectorStore
{
    private readonly GalleryFile _file;

    /// <summary>Opens a file, or says where it will be: it is created with the first collection.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="modelFingerprint">See <see cref="SqliteGalleryOptions.ModelFingerprint"/>.</param>
    public SqliteGalleryStore(string path, string? modelFingerprint = null)
        : this(new SqliteGalleryOptions { Path = path, ModelFingerprint = modelFingerprint })
    {
    }

    /// <summary>Opens a file, or says where it will be: it is created with the first collection.</summary>
    /// <param name="options">The options. The store keeps a copy.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public SqliteGalleryStore(SqliteGalleryOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _file = new GalleryFile(options);
    }

    /// <summary>The full path of the file.</summary>
    public string Path => _file.Path;

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">A property has a type, an index or a distance function that the store does not have.</exception>
    public override VectorStoreCollection<TKey, TRecord> GetCollection<TKey, TRecord>(string name, VectorStoreCollectionDefinition? definition = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return typeof(TRecord) == typeof(Dictionary<string, object?>)
            ? throw new ArgumentException($"Collection '{name}': records that are dictionaries come from {nameof(GetDynamicCollection)}.")
            : new SqliteGallery<TKey, TRecord>(_file, name, definition);
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">A property has a type, an index or a distance function that the store does not have.</exception>
    public override VectorStoreCollection<object, Dictionary<string, object?>> GetDynamicCollection(string name, VectorStoreCollectionDefinition definition)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(definition);
        return new SqliteGallery<object, Dictionary<string, object?>>(_file, name, definition);
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<string> ListCollectionNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!File.Exists(Path))
            yield break;
        var names = await _file.RunAsync("ListCollectionNames", null, connection =>
        {
            using var transaction = connection.BeginTransaction(deferred: true);
            using var exists = GalleryFile.Command(connection, transaction, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'galleries'");
            var names = new List<string>();
            if (exists.ExecuteScalar() == null)
                return names;
            using var command = GalleryFile.Command(connection, transaction, "SELECT name FROM galleries ORDER BY name");
            using var reader = command.ExecuteReader();
            while (reader.Read())
                names.Add(reader.GetString(0));
            return names;
        }, cancellationToken).ConfigureAwait(false);
        foreach (var name in names)
            yield return name;
    }

    /// <inheritdoc/>
    public override async Task<bool> CollectionExistsAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return File.Exists(Path) && await _file.RunAsync("CollectionExists", name, connection =>
        {
            using var transaction = connection.BeginTransaction(deferred: true);
            return GalleryFile.Find(connection, transaction, name) != null;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async Task EnsureCollectionDeletedAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (!File.Exists(Path))
            return;
        await _file.RunAsync("DeleteCollection", name, connection =>
        {
            using var transaction = connection.BeginTransaction();
            GalleryFile.Delete(connection, transaction, name);
            transaction.Commit();
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey != null)
            return null;
        if (serviceType == typeof(VectorStoreMetadata))
            return new VectorStoreMetadata { VectorStoreSystemName = GalleryFile.SystemName, VectorStoreName = Path };
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Closes the file. Its collections cannot be used afterwards.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>The options of <see cref="SqliteGalleryStore"/>.</summary>
public sealed class SqliteGalleryOptions
{
    /// <summary>The path of the file.</summary>
    public string Path { get; set; } = "";

    /// <summary>
    /// Which model the vectors are of: any text that changes with it, such as a version or the checksum of its file. A collection remembers the one
    /// it was created with and refuses every other: vectors of two models cannot be compared. Default null, which is one of its own.
    /// </summary>
    public string? ModelFingerprint { get; set; }

    /// <summary>How long a writer waits for another one, from 1 second to an hour. Default 30 seconds.</summary>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The largest number of threads of a search for many vectors at once; it changes no result. Default null: one for each core.</summary>
    public int? NumberOfThreads { get; set; }

    /// <summary>Whether the file is only read, which needs no right to write. It must exist then. Default false.</summary>
    public bool IsReadOnly { get; set; }

    internal void Check()
    {
        if (string.IsNullOrWhiteSpace(Path))
            throw new ArgumentException($"{nameof(Path)} is empty; it must be the path of a file.", nameof(Path));
        if (Path.StartsWith(":memory:", StringComparison.OrdinalIgnoreCase) || Path.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException($"{nameof(Path)} is '{Path}'; it must be the path of a file, since each operation has a connection of its own.", nameof(Path));
        if (BusyTimeout < TimeSpan.FromSeconds(1) || BusyTimeout > TimeSpan.FromHours(1))
            throw new ArgumentOutOfRangeException(nameof(BusyTimeout), BusyTimeout, $"{nameof(BusyTimeout)} is {BusyTimeout}; it must be from 1 second to an hour.");
        if (NumberOfThreads < 1)
            throw new ArgumentOutOfRangeException(nameof(NumberOfThreads), NumberOfThreads, FormattableString.Invariant($"{nameof(NumberOfThreads)} is {NumberOfThreads}; it must be at least 1."));
        if (ModelFingerprint != null && string.IsNullOrWhiteSpace(ModelFingerprint))
            throw new ArgumentException($"{nameof(ModelFingerprint)} is empty; it must be a text, or null.", nameof(ModelFingerprint));
    }
}
