using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace MLExtensions.Native;

/// <summary>
/// Finds the reference to <c>SKBitmap.GetPixelSpan</c> in the metadata of an assembly (ECMA-335, II.22.25 and II.23.2), and changes it to
/// return a <c>Span&lt;byte&gt;</c>. Its current signature is shared with the getter of <c>MLImage.Pixels</c>, which must not change. The
/// new signature overwrites that of the property, which has the same length and is only read by reflection.
/// </summary>
internal sealed record SpanReference(int SignatureColumn, int ColumnSize, int BlobIndex, int BlobOffset, byte[] Signature)
{
    private const byte HasThis = 0x20;
    private const byte PropertyOfInstance = 0x28;

    /// <returns>Null if the metadata is not as expected.</returns>
    public static SpanReference? Find(MetadataReader reader)
    {
        var reference = FindReference(reader);
        var property = FindProperty(reader);
        var (readOnly, writable) = (FindType(reader, "ReadOnlySpan`1"), FindType(reader, "Span`1"));
        if (reference.IsNil || property.IsNil || readOnly.IsNil || writable.IsNil)
            return null;

        var old = reader.GetMemberReference(reference).Signature;
        var place = reader.GetPropertyDefinition(property).Signature;
        var signature = SignatureOf(writable);
        var isExpected = reader.GetBlobBytes(old).SequenceEqual(SignatureOf(readOnly))
            && reader.GetBlobBytes(place) is [PropertyOfInstance, .. var rest]
            && rest.SequenceEqual(SignatureOf(readOnly)[1..])
            && signature.Length == rest.Length + 1
            && reader.PropertyDefinitions.Count(other => reader.GetPropertyDefinition(other).Signature == place) == 1;
        if (!isExpected)
            return null;

        // The last column of a row is the index of the signature blob; the length of such short blobs is one byte before them.
        var columnSize = reader.GetHeapSize(HeapIndex.Blob) < 0x10000 ? sizeof(ushort) : sizeof(uint);
        var rowSize = reader.GetTableRowSize(TableIndex.MemberRef);
        var rowEnd = reader.GetTableMetadataOffset(TableIndex.MemberRef) + (rowSize * MetadataTokens.GetRowNumber(reference));
        var blob = reader.GetHeapOffset(place);
        return new SpanReference(rowEnd - columnSize, columnSize, blob, reader.GetHeapMetadataOffset(HeapIndex.Blob) + blob + 1, signature);
    }

    public bool Apply(Span<byte> metadata)
    {
        Signature.CopyTo(metadata[BlobOffset..]);
        var column = metadata.Slice(SignatureColumn, ColumnSize);
        if (ColumnSize == sizeof(ushort))
            BinaryPrimitives.WriteUInt16LittleEndian(column, (ushort)BlobIndex);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(column, (uint)BlobIndex);
        return true;
    }

    private static MemberReferenceHandle FindReference(MetadataReader reader) =>
        reader.MemberReferences.FirstOrDefault(handle =>
            reader.GetMemberReference(handle) is { Parent.Kind: HandleKind.TypeReference } member
            && reader.StringComparer.Equals(member.Name, "GetPixelSpan")
            && reader.StringComparer.Equals(reader.GetTypeReference((TypeReferenceHandle)member.Parent).Name, "SKBitmap"));

    private static PropertyDefinitionHandle FindProperty(MetadataReader reader) =>
        reader.TypeDefinitions
            .Select(reader.GetTypeDefinition)
            .Where(type => reader.StringComparer.Equals(type.Name, "MLImage"))
            .SelectMany(type => type.GetProperties())
            .FirstOrDefault(handle => reader.StringComparer.Equals(reader.GetPropertyDefinition(handle).Name, "Pixels"));

    private static TypeReferenceHandle FindType(MetadataReader reader, string name) =>
        reader.TypeReferences.FirstOrDefault(handle => reader.StringComparer.Equals(reader.GetTypeReference(handle).Name, name));

    /// <summary>The signature of an instance method without parameters that returns a span type of bytes.</summary>
    private static byte[] SignatureOf(TypeReferenceHandle span)
    {
        var builder = new BlobBuilder();
        builder.WriteByte(HasThis);
        builder.WriteCompressedInteger(0);
        builder.WriteByte((byte)SignatureTypeCode.GenericTypeInstance);
        builder.WriteByte((byte)SignatureTypeKind.ValueType);
        builder.WriteCompressedInteger(CodedIndex.TypeDefOrRefOrSpec(span));
        builder.WriteCompressedInteger(1);
        builder.WriteByte((byte)SignatureTypeCode.Byte);
        return builder.ToArray();
    }
}
