using Microsoft.ML.Data;

namespace MLExtensions.Codes;

/// <summary>A column that a transformer of codes adds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Count">Its number of values.</param>
/// <param name="IsVector">Whether it is a vector, be it of one value.</param>
internal sealed record CodeOutput(string Name, int Count, bool IsVector)
{
    public DataViewType Type => IsVector ? new VectorDataViewType(NumberDataViewType.Single, Count) : NumberDataViewType.Single;
}
