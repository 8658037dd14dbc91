using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.Extensions.VectorData.ProviderServices;

namespace MLExtensions.Galleries;

/// <summary>Reads from attributes or a definition how records are stored, and refuses what cannot be.</summary>
internal sealed class GalleryModelBuilder : CollectionModelBuilder
{
    private GalleryModelBuilder()
        : base(new CollectionModelBuildingOptions { SupportsMultipleVectors = true, RequiresAtLeastOneVector = true })
    {
    }

    public static CollectionModel Build(string collection, Type record, Type key, VectorStoreCollectionDefinition? definition)
    {
        var model = record == typeof(Dictionary<string, object?>)
            ? new GalleryModelBuilder().BuildDynamic(definition ?? throw new ArgumentNullException(nameof(definition), $"Collection '{collection}' has records without attributes (dictionaries), so it needs a definition."), null)
            : new GalleryModelBuilder().Build(record, key, definition, null);
        foreach (var vector in model.VectorProperties)
        {
            if (!GalleryVector.IsSupported(vector.Type))
                throw new NotSupportedException($"Vector property '{vector.ModelName}' of collection '{collection}' has type {vector.Type.Name}; it must be {GalleryVector.SupportedTypes}. A gallery makes no embeddings of its own: compute them before.");
            if (vector.IndexKind is not (null or IndexKind.Flat))
                throw new NotSupportedException($"Vector property '{vector.ModelName}' of collection '{collection}' asks for index '{vector.IndexKind}'; a gallery is searched exactly, which is '{IndexKind.Flat}'.");
            GalleryScore.Of(vector); // refuses distance functions
        }
        var names = model.Properties.GroupBy(property => property.StorageName, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1);
        if (names != null)
            throw new NotSupportedException($"Properties {string.Join(" and ", names.Select(property => $"'{property.ModelName}'"))} of collection '{collection}' have the same name in SQLite, '{names.Key}', where letters are equal whether they are capitals or not. Set StorageName.");
        return model;
    }

    protected override void ValidateKeyProperty(KeyPropertyModel keyProperty)
    {
        base.ValidateKeyProperty(keyProperty);
        if (!GalleryValue.IsKey(keyProperty.Type))
            throw new NotSupportedException($"Key property '{keyProperty.ModelName}' has type {keyProperty.Type.Name}; it must be {GalleryValue.KeyTypes}.");
    }

    protected override bool IsDataPropertyTypeValid(Type type, out string supportedTypes)
    {
        supportedTypes = GalleryValue.SupportedTypes;
        return GalleryValue.IsSupported(type);
    }

    protected override bool IsVectorPropertyTypeValid(Type type, out string supportedTypes)
    {
        supportedTypes = GalleryVector.SupportedTypes;
        return GalleryVector.IsSupported(type);
    }
}
