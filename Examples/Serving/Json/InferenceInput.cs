using MLExtensions.Examples.Serving.Http;

namespace MLExtensions.Examples.Serving.Json;

/// <summary>The columns of a request while they are read.</summary>
internal sealed class InferenceInput(IReadOnlyList<ModelColumn> columns)
{
    private readonly ColumnBuilder?[] _builders = new ColumnBuilder?[columns.Count];

    /// <summary>The columns that the model needs.</summary>
    public IReadOnlyList<ModelColumn> Columns => columns;

    /// <summary>The number of rows.</summary>
    public int Rows { get; set; } = -1;

    /// <summary>The builder of the only column.</summary>
    /// <exception cref="RequestException">The model needs several.</exception>
    public ColumnBuilder Only() => columns.Count == 1
        ? Of(0)
        : throw RequestException.Bad($"The model needs {columns.Count} inputs, so each row must be an object that names them: {string.Join(", ", columns)}.");

    /// <summary>The builder of a column.</summary>
    /// <exception cref="RequestException">The model does not need it.</exception>
    public ColumnBuilder Of(ReadOnlySpan<char> name)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (name.SequenceEqual(columns[i].Name))
                return Of(i);
        }
        throw RequestException.Bad($"The model has no input '{name}'; it needs {string.Join(", ", columns)}.");
    }

    /// <summary>The builder of a column.</summary>
    public ColumnBuilder Of(int place) => _builders[place] ??= ColumnBuilder.Of(columns[place]);

    /// <summary>The columns, complete.</summary>
    /// <exception cref="RequestException">One is missing, or there are no rows.</exception>
    public ColumnData[] Build()
    {
        var missing = Array.IndexOf(_builders, null);
        if (missing >= 0)
            throw RequestException.Bad($"The input '{columns[missing].Name}' is missing; the model needs {string.Join(", ", columns)}.");
        if (Rows < 1)
            throw RequestException.Bad("There are no rows.");
        return Array.ConvertAll(_builders, builder => builder!.Build());
    }

    /// <summary>Gives back the memory.</summary>
    public void Return()
    {
        foreach (var builder in _builders)
            builder?.Return();
    }
}
